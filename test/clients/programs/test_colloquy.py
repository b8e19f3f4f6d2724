"""The official Python client against `colloquy serve --testing`, whose address COLLOQUY_URL holds."""

import json
import os
import time
import urllib.request

import anthropic
import pytest


class Server:
    url = os.environ["COLLOQUY_URL"]

    def script(self, steps):
        self._send("POST", "script", steps)

    def requests(self):
        return self._send("GET", "requests")["requests"]

    def reset(self):
        self._send("POST", "reset")

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/testing/{path}", data=data, method=method)
        with urllib.request.urlopen(request) as response:
            return json.load(response)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.reset()


@pytest.fixture
def client(server):
    return anthropic.Anthropic(base_url=server.url, api_key="any")


ASK = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
WEATHER = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_retries_when_overloaded(server, client):
    server.script([{"error": {"type": "overloaded_error"}}, "Hello."])
    message = client.messages.create(**ASK)
    assert message.content[0].text == "Hello."
    assert [request["path"] for request in server.requests()] == ["/v1/messages"] * 2


def test_reports_an_error_within_a_stream(server, client):
    server.script([{"reply": "Hello.", "after": 3, "error": {"type": "overloaded_error"}}])
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        with client.messages.stream(**ASK) as stream:
            stream.get_final_text()


def test_streams_turns_that_use_a_tool(server, client):
    call = {"type": "tool_use", "id": "toolu_01A", "name": "weather", "input": {"city": "Oslo"}}
    server.script([{"content": [{"type": "text", "text": "I look."}, call]}, "It snows.", "You are welcome."])
    messages = [{"role": "user", "content": "How is the weather in Oslo?"}]
    texts = []
    while len(texts) < 3:
        with client.messages.stream(model=ASK["model"], max_tokens=100, tools=[WEATHER], messages=messages) as stream:
            texts.append("".join(stream.text_stream))
            reply = stream.get_final_message()
        messages.append({"role": "assistant", "content": reply.content})
        calls = [block for block in reply.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": each.id, "content": f"Snow in {each.input['city']}"} for each in calls]
        messages.append({"role": "user", "content": results or "Thanks"})
    assert texts == ["I look.", "It snows.", "You are welcome."]
    assert server.requests()[1]["params"]["messages"][2]["content"][0]["content"] == "Snow in Oslo"


def test_runs_a_batch(server, client):
    server.script(["First.", "Second."])
    requests = [{"custom_id": name, "params": ASK} for name in ("a", "b")]
    batch = client.messages.batches.create(requests=requests)
    assert [each.id for each in client.messages.batches.list()] == [batch.id]
    while client.messages.batches.retrieve(batch.id).processing_status != "ended":
        time.sleep(0.05)
    texts = {}
    for each in client.messages.batches.results(batch.id):
        texts[each.custom_id] = each.result.message.content[0].text
    assert sorted(texts) == ["a", "b"]
    assert sorted(texts.values()) == ["First.", "Second."]
    assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(batch.id)


def test_sends_only_new_messages_in_a_thread(server, client):
    server.script(["Hello.", "You said hi."])
    thread = client.beta.messages.thread(model=ASK["model"], max_tokens=100, system="Be brief.")
    first = thread.send({"role": "user", "content": "Hi"})
    second = thread.send({"role": "user", "content": "What did I say?"})
    assert second.content[0].text == "You said hi."
    sent = [request["params"] for request in server.requests()]
    assert [params["thread"]["type"] for params in sent] == ["create", "continue"]
    assert [len(params["messages"]) for params in sent] == [1, 1]
    # The second one counts the whole conversation.
    assert second.usage.input_tokens > first.usage.input_tokens + 8

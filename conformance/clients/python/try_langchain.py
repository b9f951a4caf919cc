"""LangChain by langchain-mcp-adapters: a process to list, and one for each call."""

import asyncio

import expect
from langchain_core.messages import ToolMessage
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main():
    client = MultiServerMCPClient({
        "mpp": {
            "transport": "stdio",
            "command": expect.SERVER,
            "args": expect.ARGUMENTS,
            "env": expect.ENVIRONMENT,
        }
    })
    tools = {tool.name: tool for tool in await client.get_tools()}
    expect.listing(tools)

    async def call(name, arguments):
        """As an agent's node calls it: what comes back is the message for the model."""
        request = {"type": "tool_call", "id": "1", "name": name, "args": arguments}
        message = await tools[name].ainvoke(request)
        assert isinstance(message, ToolMessage)
        return message

    message = await call(*expect.GOOD)
    expect.good_text(message.text)
    expect.good_structure(message.artifact["structured_content"])
    message = await call(*expect.REDACTED)
    expect.redacted(message.model_dump_json())
    message = await call(*expect.BAD)
    expect.holds("bad arguments are an error message", message.status == "error", message)
    expect.refused(message.text)
    message = await call(*expect.DENIED)
    expect.holds("a denial is an error message", message.status == "error", message)
    expect.denied(message.text)
    try:
        await asyncio.wait_for(call(*expect.ENDLESS), 2)
        expect.holds("a call that never ends can be given up", False)
    except asyncio.TimeoutError:
        expect.holds("a call that never ends can be given up", True)


asyncio.run(main())

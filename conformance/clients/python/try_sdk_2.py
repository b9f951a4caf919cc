"""The official Python SDK, version 2: the stateless revision of its own accord, and `initialize` if told so."""

import asyncio

import expect
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError


async def era(mode, revision):
    server = StdioServerParameters(command=expect.SERVER, args=expect.ARGUMENTS, env=expect.ENVIRONMENT)
    async with Client(server, mode=mode) as client:
        expect.holds(f"the revision is {revision}", client.protocol_version == revision, client.protocol_version)
        expect.holds("the server says who it is", client.server_info.name == "mpp", client.server_info)
        expect.listing([tool.name for tool in (await client.list_tools()).tools])

        answer = await client.call_tool(*expect.GOOD)
        expect.good_text(answer.content[0].text)
        expect.good_structure(answer.structured_content)
        answer = await client.call_tool(*expect.REDACTED)
        expect.redacted(answer.model_dump_json())

        answer = await client.call_tool(*expect.BAD)
        expect.holds("bad arguments are an error result", answer.is_error)
        expect.refused(answer.content[0].text)
        answer = await client.call_tool(*expect.DENIED)
        expect.holds("a denial is an error result", answer.is_error)
        expect.denied(answer.content[0].text)

        values = []

        async def progress(value, _total, _message):
            values.append(value)

        await client.call_tool(*expect.SLOW, progress_callback=progress)
        expect.progress(values)

        try:
            await client.call_tool(*expect.ENDLESS, read_timeout_seconds=1)
            expect.holds("a call that never ends runs into the client's time limit", False)
        except MCPError as error:
            expect.holds("a call that never ends runs into the client's time limit", "imed out" in str(error), error)
        answer = await client.call_tool(*expect.GOOD)
        expect.good_text(answer.content[0].text)


async def main():
    await era("auto", "2026-07-28")
    await era("legacy", "2025-11-25")


asyncio.run(main())

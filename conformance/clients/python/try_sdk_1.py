"""The official Python SDK, version 1: revision 2025-11-25 by `initialize`."""

import asyncio
from datetime import timedelta

import expect
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    server = StdioServerParameters(command=expect.SERVER, args=expect.ARGUMENTS, env=expect.ENVIRONMENT)
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        started = await session.initialize()
        expect.holds("the revision is 2025-11-25", started.protocolVersion == "2025-11-25", started)
        expect.listing([tool.name for tool in (await session.list_tools()).tools])

        answer = await session.call_tool(*expect.GOOD)
        expect.good_text(answer.content[0].text)
        expect.good_structure(answer.structuredContent)
        answer = await session.call_tool(*expect.REDACTED)
        expect.redacted(answer.model_dump_json())

        answer = await session.call_tool(*expect.BAD)
        expect.holds("bad arguments are an error result", answer.isError)
        expect.refused(answer.content[0].text)
        answer = await session.call_tool(*expect.DENIED)
        expect.holds("a denial is an error result", answer.isError)
        expect.denied(answer.content[0].text)

        values = []

        async def progress(value, _total, _message):
            values.append(value)

        await session.call_tool(*expect.SLOW, progress_callback=progress)
        expect.progress(values)

        try:
            await session.call_tool(*expect.ENDLESS, read_timeout_seconds=timedelta(seconds=1))
            expect.holds("a call that never ends runs into the client's time limit", False)
        except McpError as error:
            expect.holds("a call that never ends runs into the client's time limit", "imed out" in str(error), error)
        await session.send_ping()
        answer = await session.call_tool(*expect.GOOD)
        expect.good_text(answer.content[0].text)


asyncio.run(main())

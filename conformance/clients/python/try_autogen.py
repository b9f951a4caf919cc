"""AutoGen by autogen-ext: a workbench with one process. It declares sampling, which is never asked for."""

import asyncio

import expect
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams


async def main():
    server = StdioServerParams(
        command=expect.SERVER, args=expect.ARGUMENTS, env=expect.ENVIRONMENT, read_timeout_seconds=30
    )
    async with McpWorkbench(server) as workbench:
        expect.listing([tool["name"] for tool in await workbench.list_tools()])
        answer = await workbench.call_tool(*expect.GOOD)
        expect.good_text(answer.to_text())
        answer = await workbench.call_tool(*expect.REDACTED)
        expect.redacted(answer.model_dump_json())
        answer = await workbench.call_tool(*expect.BAD)
        expect.holds("bad arguments are an error result", answer.is_error)
        expect.refused(answer.to_text())
        answer = await workbench.call_tool(*expect.DENIED)
        expect.holds("a denial is an error result", answer.is_error)
        expect.denied(answer.to_text())
        task = asyncio.create_task(workbench.call_tool(*expect.ENDLESS))
        await asyncio.sleep(1)
        # Its own cancellation token does not work for workbenches; giving up the task does.
        task.cancel()
        answer = await workbench.call_tool(*expect.GOOD)
        expect.good_text(answer.to_text())


asyncio.run(main())

using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Simulator;

/// <param name="Arguments">JSON text of a function, free text of a custom tool.</param>
internal sealed record ToolCall(string Id, string Name, string Arguments, bool IsCustom);

/// <summary>Decides which tools an answer calls.</summary>
internal static class ToolUse
{
    private const string CallMark = "call:";

    /// <summary>
    /// The calls of this step, none when the answer is text. <c>call:NAME {json}</c> lines of the last user message are
    /// made as
    /// written, a line <c>then</c> parting one step's from the next's; without such lines the first step calls the tool
    /// that shares most words with the question.
    /// </summary>
    public static List<ToolCall> Choose(SimulatorRequest request)
    {
        var tools = request.Tools;
        if (tools.Offered.Count == 0 || request.Messages[^1].Role == "assistant")
        {
            return [];
        }

        var stepsDone = request.Messages.Skip(request.LastUser + 1).Count(m => m.CallIds.Count > 0);
        var scripted = Scripted(request, stepsDone, out var isScripted);
        if (scripted.Count > 0)
        {
            return scripted;
        }

        var tool = !isScripted && stepsDone == 0 ? MostAlike(tools.Offered, request.Question) : null;
        tool ??= tools.IsRequired ? tools.Offered[0] : null;
        return tool is null
            ? []
            : [new ToolCall(Id(request, 0), tool.Name, ArgumentsFor(tool, request.Question), tool.IsCustom)];
    }

    /// <summary>The message without its call lines: what a question is about.</summary>
    public static string WithoutCalls(string message) =>
        !message.Contains(CallMark, StringComparison.Ordinal)
            ? message
            : string.Join('\n', message.Split('\n').Where(line => Called(line) is null && line.Trim() != "then"));

    private static List<ToolCall> Scripted(SimulatorRequest request, int stepsDone, out bool isScripted)
    {
        var steps = Steps(request.Question, request.Tools.IsParallel);
        isScripted = steps.Count > 0;
        var calls = new List<ToolCall>();
        var step = request.Trouble.IsLoop ? Math.Min(stepsDone, steps.Count - 1) : stepsDone;
        if (step < 0 || step >= steps.Count)
        {
            return calls;
        }

        foreach (var (name, arguments) in steps[step])
        {
            if (request.Tools.Offered.Find(tool => tool.Name == name) is { } tool)
            {
                var text = arguments.Length == 0 && !tool.IsCustom ? "{}" : arguments;
                calls.Add(new ToolCall(Id(request, calls.Count), name, text, tool.IsCustom));
            }
        }

        return calls;
    }

    private static List<List<(string Name, string Arguments)>> Steps(string message, bool isParallel)
    {
        var steps = new List<List<(string, string)>>();
        var isNewStep = true;
        foreach (var line in message.Contains(CallMark, StringComparison.Ordinal) ? message.Split('\n') : [])
        {
            if (Called(line) is { } call)
            {
                if (isNewStep || !isParallel)
                {
                    steps.Add([]);
                }

                steps[^1].Add(call);
                isNewStep = false;
            }
            else if (line.Trim() == "then")
            {
                isNewStep = true;
            }
        }

        return steps;
    }

    private static (string Name, string Arguments)? Called(string line)
    {
        var text = line.Trim();
        if (!text.StartsWith(CallMark, StringComparison.Ordinal))
        {
            return null;
        }

        var parts = text[CallMark.Length..].TrimStart().Split(' ', 2);
        return parts[0].Length == 0 ? null : (parts[0], parts.Length > 1 ? parts[1].Trim() : "");
    }

    private static Tool? MostAlike(List<Tool> tools, string question)
    {
        var asked = Words.Stems(question);
        Tool? best = null;
        var mostShared = 0;
        foreach (var tool in tools)
        {
            var shared = Words.Stems($"{tool.Name} {tool.Description}").Count(asked.Contains);
            if (shared > mostShared)
            {
                (best, mostShared) = (tool, shared);
            }
        }

        return best;
    }

    private static string ArgumentsFor(Tool tool, string question)
    {
        if (tool.IsCustom)
        {
            return question;
        }

        return tool.Parameters is { } schema
            ? new SchemaInstance(schema, question, fillsOptional: true).ToJson()
            : "{}";
    }

    /// <summary>The same conversation gets the same ids, and no two calls in it share one.</summary>
    private static string Id(SimulatorRequest request, int index)
    {
        var seed = string.Create(CultureInfo.InvariantCulture, $"{request.Messages.Count} {index} {request.Question}");
        return "call_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)))[..24];
    }
}

using System.Diagnostics;
using System.Text.Json;
using Gateway.Observability;
using Gateway.Usage;

namespace Gateway.Bots;

/// <summary>Runs the bot's own tools. Whatever goes wrong is told to the model; only a caller who left ends the turn.</summary>
internal sealed class ToolRuns(Toolset tools, TurnScope scope, TimeProvider clock, ILogger log)
{
    /// <summary>Of one result, in characters; a few pages.</summary>
    private const int MostResult = 32_000;

    /// <summary>What the model is told of a call for which there is no allowance left.</summary>
    public const string NoMore = "Not run: this answer has used up the tool calls, or the money, that it may. Answer with what you know.";

    /// <summary>What one call gave.</summary>
    internal sealed record Done(StepCall Call, ToolResult Result, TimeSpan Duration);

    /// <param name="why">Why it must not run; null: it may.</param>
    /// <param name="stop">Cancelled when nobody wants the result any more.</param>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<Done> RunAsync(StepCall call, string? why, CancellationToken stop)
    {
        // Off the stack of who begins several.
        await Task.Yield();
        var began = Stopwatch.GetTimestamp();
        var result = why is null ? await RunAsync(call, stop) : ToolResult.Failed(why);
        return new Done(
            call, result with { Text = DataText.Shorten(result.Text, MostResult) }, Stopwatch.GetElapsedTime(began));
    }

    private async Task<ToolResult> RunAsync(StepCall call, CancellationToken stop)
    {
        if (tools.Find(call.Name) is not { } tool)
        {
            return ToolResult.Failed($"There is no tool '{call.Name}'.");
        }

        RequestUsage.Around = scope.Tree.Metered.Usage;
        using var limit = new CancellationTokenSource(tool.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            using var arguments = JsonDocument.Parse(call.Arguments.Length == 0 ? "{}" : call.Arguments);
            return arguments.RootElement.ValueKind == JsonValueKind.Object
                ? await tool.RunAsync(arguments.RootElement, scope.Context, both.Token)
                : ToolResult.Failed("The arguments must be a JSON object.");
        }
        catch (JsonException wrong)
        {
            return ToolResult.Failed($"The arguments are not valid JSON ({wrong.LineNumber}:{wrong.BytePositionInLine}).");
        }
        catch (OperationCanceledException) when (scope.Time.Caller.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return ToolResult.Failed(limit.IsCancellationRequested
                ? $"The tool did not answer within {tool.Timeout.TotalSeconds:0.#} seconds."
                : "The tool was stopped: the time for this answer is nearly over.");
        }
        catch (Exception broken)
        {
            log.ToolFailed(call.Name, scope.Bot.Id, broken.GetType().Name, scope.Tree.Metered.Usage.Subject.RequestId);
            return ToolResult.Failed("The tool failed.");
        }
    }
}

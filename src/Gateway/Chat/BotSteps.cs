using System.Text.Json;
using Gateway.Bots;

namespace Gateway.Chat;

/// <summary>
/// Writes what a bot's own tools do, for callers who asked to see it: a member <c>gateway</c>, which is none of OpenAI's. Names
/// and times alone, neither what a tool was asked nor what it said.
/// </summary>
internal static class BotSteps
{
    public static void WriteChunk(Utf8JsonWriter json, BotEvent happened)
    {
        json.WriteStartObject("gateway");
        json.WritePropertyName("step");
        if (happened is BotEvent.ToolDone done)
        {
            Write(json, done.Step, done.Call, done.Tool, done);
        }
        else if (happened is BotEvent.ToolStarted started)
        {
            Write(json, started.Step, started.Call, started.Tool, null);
        }

        json.WriteEndObject();
    }

    public static void WriteWhole(Utf8JsonWriter json, IReadOnlyList<BotEvent.ToolDone> tools)
    {
        json.WriteStartObject("gateway");
        json.WriteStartArray("steps");
        foreach (var tool in tools)
        {
            Write(json, tool.Step, tool.Call, tool.Tool, tool);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, int step, int call, string tool, BotEvent.ToolDone? done)
    {
        json.WriteStartObject();
        json.WriteNumber("step", step);
        json.WriteNumber("call", call);
        json.WriteString("tool", tool);
        json.WriteString("status", done is null ? "started" : done.IsFailure ? "failed" : "done");
        if (done is not null)
        {
            json.WriteNumber("duration_ms", Math.Round(done.Duration.TotalMilliseconds, 1));
        }

        json.WriteEndObject();
    }
}

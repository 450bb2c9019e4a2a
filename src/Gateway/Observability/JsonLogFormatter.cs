using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace Gateway.Observability;

/// <summary>
/// One JSON object per line: time, level, source, event, then what the message names, in snake case and as numbers where
/// they are. Serilog's own formatter nests these and writes the template; the compact one is not to be had.
/// </summary>
internal sealed class JsonLogFormatter : ITextFormatter
{
    /// <summary>Its message would say all of it twice.</summary>
    private const string RequestLine = nameof(Log.Request);

    /// <summary>As at a terminal: Serilog's own rendering puts quotes around every text, which JSON then escapes.</summary>
    private static readonly MessageTemplateTextFormatter Message = new("{Message:lj}", CultureInfo.InvariantCulture);

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Format(LogEvent logEvent, TextWriter output)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            Write(json, logEvent);
        }

        output.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
        output.Write('\n');
    }

    private static void Write(Utf8JsonWriter json, LogEvent logEvent)
    {
        var name = EventName(logEvent);
        json.WriteStartObject();
        json.WriteString("time", logEvent.Timestamp.UtcDateTime);
        json.WriteString("level", LevelOf(logEvent.Level));
        if (name is not null)
        {
            json.WriteString("event", JsonNamingPolicy.SnakeCaseLower.ConvertName(name));
        }

        if (name != RequestLine)
        {
            using var message = new StringWriter(CultureInfo.InvariantCulture);
            Message.Format(logEvent, message);
            json.WriteString("message", message.ToString());
        }

        foreach (var (key, value) in logEvent.Properties)
        {
            // "-" stands in a line of text for what there is not; the connection is Kestrel's scope around everything.
            if (key is not ("EventId" or "ConnectionId") && value is ScalarValue { Value: not (null or "-") } scalar)
            {
                json.WritePropertyName(key == "SourceContext" ? "source" : JsonNamingPolicy.SnakeCaseLower.ConvertName(key));
                WriteScalar(json, scalar.Value);
            }
        }

        if (logEvent.Exception is { } exception)
        {
            // Not its own words: they may quote what a caller sent.
            json.WriteString("exception", exception.GetType().FullName);
            json.WriteString("stack", exception.StackTrace);
        }

        json.WriteEndObject();
    }

    private static void WriteScalar(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(Math.Round(number, 3));
                break;
            default:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static string? EventName(LogEvent logEvent) =>
        logEvent.Properties.GetValueOrDefault("EventId") is StructureValue id
            ? id.Properties.FirstOrDefault(p => p.Name == "Name")?.Value is ScalarValue { Value: string name } ? name : null
            : null;

    private static string LevelOf(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => "trace",
        LogEventLevel.Debug => "debug",
        LogEventLevel.Information => "info",
        LogEventLevel.Warning => "warn",
        LogEventLevel.Error => "error",
        _ => "fatal",
    };
}

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>Makes the body for one deployment: what the caller sent, but for what must differ.</summary>
internal static class UpstreamBody
{
    private static readonly byte[] AddedOptions = [.. ",\"stream_options\":{\"include_usage\":true}"u8];
    private static readonly byte[] UsageOptions = [.. "{\"include_usage\":true}"u8];
    private static readonly byte[] True = [.. "true"u8];

    /// <param name="unsupported">What this deployment is known not to take.</param>
    public static EditedBody Build(UpstreamCall call, Deployment deployment, IReadOnlyCollection<Unsupported>? unsupported)
    {
        var body = call.Body;
        var edited = new EditedBody(body.Bytes);
        call.DroppedParams.Clear();

        var dropped = 0UL;
        if (call.Route.Model.DropParams.Count > 0 || unsupported is not null)
        {
            dropped = FindDropped(call, unsupported, edited);
        }

        if (dropped != 0)
        {
            edited.Drop(body, i => i < 64 && (dropped >> i & 1) != 0);
        }

        if (body.Find("model"u8) is >= 0 and var model)
        {
            var value = body.Members[model];
            edited.Replace(value.ValueStart, value.ValueEnd, deployment.UpstreamModelJson ?? JsonName(call.Route.Name));
        }

        if (call.IsStream && !call.WantsUsage && !IsUnsupported("stream_options", null, unsupported)
            && !call.Route.Model.DropParams.Contains("stream_options"))
        {
            AskForUsage(body, edited);
        }

        return edited;
    }

    /// <summary>Whether one of what is unsupported is this parameter with this value.</summary>
    private static bool IsUnsupported(string name, string? value, IReadOnlyCollection<Unsupported>? unsupported) =>
        unsupported is not null && unsupported.Any(u => u.Name == name && (u.Value is null || u.Value == value));

    private static ulong FindDropped(UpstreamCall call, IReadOnlyCollection<Unsupported>? unsupported, EditedBody edited)
    {
        var dropped = 0UL;
        var members = call.Body.Members;
        for (var i = 0; i < members.Length && i < 64; i++)
        {
            var name = Encoding.UTF8.GetString(call.Body.Name(members[i]));
            var isConfigured = call.Route.Model.DropParams.Contains(name);
            if (!isConfigured && !IsUnsupported(name, Adjustments.ValueOf(call.Body.Value(members[i]).Span), unsupported))
            {
                continue;
            }

            if (!isConfigured && Adjustments.OtherName(name) is { } other)
            {
                if (call.Body.Find(Encoding.UTF8.GetBytes(other)) < 0)
                {
                    edited.Replace(members[i].NameStart, members[i].NameEnd, JsonName(other));
                }

                continue;
            }

            dropped |= 1UL << i;
            call.DroppedParams.Add(name);
        }

        return dropped;
    }

    /// <summary>Usage must be known also for callers who do not ask for it.</summary>
    private static void AskForUsage(JsonBody body, EditedBody edited)
    {
        var at = body.Find("stream_options"u8);
        if (at < 0)
        {
            edited.Replace(body.End, body.End, AddedOptions);
            return;
        }

        var options = body.Members[at];
        if (options.Kind != JsonTokenType.StartObject)
        {
            edited.Replace(options.ValueStart, options.ValueEnd, UsageOptions);
            return;
        }

        if (!JsonBody.TryRead(body.Value(options), null, out var inner, out _))
        {
            // Named twice inside, say: the upstream's to refuse.
            return;
        }

        if (inner.Find("include_usage"u8) is >= 0 and var asked)
        {
            var value = inner.Members[asked];
            edited.Replace(options.ValueStart + value.ValueStart, options.ValueStart + value.ValueEnd, True);
        }
        else
        {
            var separator = inner.Members.Length > 0 ? "," : "";
            edited.Replace(
                options.ValueStart + 1, options.ValueStart + 1, Encoding.UTF8.GetBytes($"\"include_usage\":true{separator}"));
        }
    }

    /// <summary>A name as a JSON string, with nothing escaped that need not be.</summary>
    public static byte[] JsonName(string name) =>
        [(byte)'"', .. JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes, (byte)'"'];
}

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
    public static EditedBody Build(
        UpstreamCall call, ModelRoute route, Deployment deployment, IReadOnlyCollection<Unsupported>? unsupported)
    {
        List<string>? droppedParams = route.Model.DropParams.Count > 0 || unsupported is not null ? [] : null;
        var edited = Build(call.Body, route, deployment, unsupported, droppedParams);
        call.DroppedParams = droppedParams ?? [];
        if (call.IsStream && !call.WantsUsage && !IsUnsupported("stream_options", default, unsupported)
            && !route.Model.DropParams.Contains("stream_options"))
        {
            AskForUsage(call.Body, edited);
        }

        return edited;
    }

    /// <summary>The same for a body of which no stream with a usage chunk is wanted.</summary>
    /// <param name="droppedParams">Takes the names of parameters that are left out.</param>
    public static EditedBody Build(
        JsonBody body, ModelRoute route, Deployment deployment, IReadOnlyCollection<Unsupported>? unsupported,
        List<string>? droppedParams)
    {
        var edited = new EditedBody(body.Bytes);
        var dropped = route.Model.DropParams.Count > 0 || unsupported is not null
            ? FindDropped(body, route.Model, unsupported, edited, droppedParams)
            : null;
        if (dropped is not null)
        {
            edited.Drop(body, i => dropped[i]);
        }

        if (body.Find("model"u8) is >= 0 and var model)
        {
            var value = body.Members[model];
            edited.Replace(value.ValueStart, value.ValueEnd, deployment.UpstreamModelJson ?? JsonName(route.Name));
        }

        return edited;
    }

    /// <summary>Whether one of what is unsupported is this parameter with this value.</summary>
    private static bool IsUnsupported(string name, ReadOnlySpan<byte> value, IReadOnlyCollection<Unsupported>? unsupported)
    {
        foreach (var parameter in unsupported ?? [])
        {
            // The value is looked at last: it may be megabytes of messages.
            if (parameter.Name == name && (parameter.Value is null || parameter.Value == Adjustments.ValueOf(value)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>By position in the body's members; null when all are kept. Renames what has another name there.</summary>
    private static bool[]? FindDropped(
        JsonBody body, Model model, IReadOnlyCollection<Unsupported>? unsupported, EditedBody edited, List<string>? droppedParams)
    {
        bool[]? dropped = null;
        for (var i = 0; i < body.Members.Length; i++)
        {
            var member = body.Members[i];
            var name = Encoding.UTF8.GetString(body.Name(member));
            var isConfigured = model.DropParams.Contains(name);
            // Without a model there is nothing to ask.
            if (name == "model" || (!isConfigured && !IsUnsupported(name, body.Value(member).Span, unsupported)))
            {
                continue;
            }

            if (!isConfigured && Adjustments.OtherName(name) is { } other)
            {
                var twin = body.Find(Encoding.UTF8.GetBytes(other));
                if (twin < 0 || body.Members[twin].Kind == JsonTokenType.Null)
                {
                    edited.Replace(member.NameStart, member.NameEnd, JsonName(other));
                    Drop(twin);
                    continue;
                }
            }

            Drop(i);
            droppedParams?.Add(name);
        }

        return dropped;

        void Drop(int position)
        {
            if (position >= 0)
            {
                dropped ??= new bool[body.Members.Length];
                dropped[position] = true;
            }
        }
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

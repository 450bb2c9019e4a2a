using System.Buffers.Text;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>How many tokens an answer may have, as a request's member says it.</summary>
/// <param name="Name">The member's; null: none says it.</param>
/// <param name="Raw">Its value as it was written.</param>
internal readonly record struct OutputLimit(string? Name, double Limit, ReadOnlyMemory<byte> Raw)
{
    private const string Old = "max_tokens";
    private const string New = "max_completion_tokens";

    public static OutputLimit Of(JsonBody body)
    {
        foreach (ref readonly var member in body.Members)
        {
            if (member.Kind != JsonTokenType.Number || !IsOne(body.Name(member)))
            {
                continue;
            }

            var reader = new Utf8JsonReader(body.Value(member).Span);
            reader.Read();
            return new OutputLimit(body.Name(member).SequenceEqual("max_tokens"u8) ? Old : New, reader.GetDouble(), body.Value(member));
        }

        return default;
    }

    /// <summary>Whether a member of this name is such a limit.</summary>
    public static bool IsOne(ReadOnlySpan<byte> name) => name.SequenceEqual("max_tokens"u8) || name.SequenceEqual("max_completion_tokens"u8);

    /// <summary>The caller's limit is for the whole turn, the bot's for a step: the smaller of them holds.</summary>
    /// <param name="used">Tokens that earlier steps used of the caller's.</param>
    /// <param name="most">Tokens that the step may say whatever both allow; null: as many as those.</param>
    public static void Write(JsonBodyWriter json, in OutputLimit own, in OutputLimit callers, long used, int? most)
    {
        if ((callers.Name ?? own.Name ?? (most is null ? null : Old)) is not { } name)
        {
            return;
        }

        json.Name(name == Old ? "max_tokens"u8 : "max_completion_tokens"u8);
        if (most is null && (callers.Name is null || (own.Name is null && used == 0)))
        {
            // Of one limit nothing is to be made: it is the upstream's to read.
            json.Write(callers.Name is null ? own.Raw.Span : callers.Raw.Span);
            return;
        }

        var left = Math.Min(
            callers.Name is null ? double.MaxValue : callers.Limit - used, own.Name is null ? double.MaxValue : own.Limit);
        var whole = (long)Math.Clamp(Math.Floor(Math.Min(left, most ?? double.MaxValue)), long.MinValue, long.MaxValue);
        Utf8Formatter.TryFormat(whole, json.GetSpan(20), out var length);
        json.Advance(length);
    }
}

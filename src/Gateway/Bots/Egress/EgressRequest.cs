using System.Net.Http.Headers;

namespace Gateway.Bots.Egress;

/// <param name="HoldsSecret">Whether it is for the one place alone that it was written for.</param>
internal sealed record EgressHeader(string Name, string Value, bool HoldsSecret)
{
    public bool IsCredential =>
        HoldsSecret
        || Name.Equals("authorization", StringComparison.OrdinalIgnoreCase)
        || Name.Equals("proxy-authorization", StringComparison.OrdinalIgnoreCase)
        || Name.Equals("cookie", StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a bot asks of a place outside. Immutable.</summary>
/// <param name="Timeout">For all of it: look-up, redirects, and the whole body however slowly it comes.</param>
/// <param name="MaxBytes">Most of the reply's body that is read, unpacked.</param>
internal sealed record EgressRequest(
    HttpMethod Method, Uri Url, IReadOnlyList<EgressHeader> Headers, byte[]? Body, TimeSpan Timeout, int MaxBytes)
{
    /// <summary>Of the body; null: none is named.</summary>
    public string? ContentType { get; init; }

    /// <summary>The request that a redirect asks for, by the Fetch standard's rules.</summary>
    /// <exception cref="EgressException">It would take the body to another place.</exception>
    public EgressRequest Redirected(int status, Uri to)
    {
        var becomesGet = (status is 301 or 302 && Method == HttpMethod.Post)
            || (status == 303 && Method != HttpMethod.Get && Method != HttpMethod.Head);
        var isSamePlace = EgressUrl.IsSamePlace(Url, to);
        if (!becomesGet && !isSamePlace && Body is not null)
        {
            throw new EgressException(
                EgressProblem.Refused, $"This request is not allowed: it is redirected to another place, '{to.Host}', with its body.");
        }

        return this with
        {
            Method = becomesGet ? HttpMethod.Get : Method,
            Url = to,
            Headers = isSamePlace ? Headers : [.. Headers.Where(h => !h.IsCredential)],
            Body = becomesGet ? null : Body,
            ContentType = becomesGet ? null : ContentType,
        };
    }

    public HttpRequestMessage ToMessage()
    {
        var message = new HttpRequestMessage(Method, Url);
        foreach (var header in Headers)
        {
            message.Headers.TryAddWithoutValidation(header.Name, header.Value);
        }

        if (Body is not null)
        {
            message.Content = new ByteArrayContent(Body);
            if (ContentType is not null && MediaTypeHeaderValue.TryParse(ContentType, out var type))
            {
                message.Content.Headers.ContentType = type;
            }
        }

        return message;
    }
}

/// <summary>What a place outside answered.</summary>
/// <param name="Url">Where the answer came from, redirects followed.</param>
/// <param name="MediaType">In lower case, without parameters; empty: none was named.</param>
/// <param name="Charset">As named; null: none was.</param>
/// <param name="IsCut">Whether the body was longer than asked for; its begin is here.</param>
internal sealed record EgressReply(int Status, string Reason, Uri Url, string MediaType, string? Charset, byte[] Body, bool IsCut);

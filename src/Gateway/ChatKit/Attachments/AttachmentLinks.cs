using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Data;

namespace Gateway.ChatKit.Attachments;

/// <summary>
/// Addresses by which a browser sends or sees one attachment's bytes without a key: signed, for one way of use, for ten minutes.
/// </summary>
internal sealed class AttachmentLinks(SecretBox box, TimeProvider clock)
{
    public const string Upload = "upload";
    public const string Preview = "preview";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>An absolute address.</summary>
    /// <param name="use"><see cref="Upload"/> or <see cref="Preview"/>.</param>
    public string Make(ChatKitUser user, string attachment, string use)
    {
        var workspace = user.WorkspaceId.ToString("n");
        var expires = (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{user.BaseUrl}/v1/chatkit/attachments/{attachment}/content?workspace={workspace}&expires={expires}&signature={Sign(use, workspace, attachment, expires)}";
    }

    /// <summary>The workspace that a link names, when it was made here for this use and still holds; else null.</summary>
    public Guid? Check(HttpRequest request, string attachment, string use)
    {
        var query = request.Query;
        var (workspace, expires, signature) = (query["workspace"].ToString(), query["expires"].ToString(), query["signature"].ToString());
        return Guid.TryParseExact(workspace, "n", out var id)
            && long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            && end >= clock.GetUtcNow().ToUnixTimeSeconds()
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Sign(use, workspace, attachment, expires)))
                ? id : null;
    }

    private string Sign(string use, string workspace, string attachment, string expires) =>
        box.Mark(Encoding.UTF8.GetBytes($"chatkit-attachment\n{use}\n{workspace}\n{attachment}\n{expires}"));
}

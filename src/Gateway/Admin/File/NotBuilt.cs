namespace Gateway.Admin.File;

/// <summary>
/// The refusal of a field whose feature is specified but not built yet: the same words wherever one is met.
/// </summary>
internal static class NotBuilt
{
    /// <param name="field">The field as the operator wrote it, such as <c>team</c>.</param>
    public static string Message(string field) => $"'{field}' is not built in this version; remove it";
}

namespace Gateway.Admin.File;

internal enum FileReferenceKind { Provider, Model, Workspace, EmbeddingModel, Dataset, Skillset, Bot, Secret }

/// <summary>A name that one object of the file uses for another.</summary>
/// <param name="IsInFile">The file itself defines it; for a model also when the file has the model <c>*</c>.</param>
/// <param name="Workspace">Where it must be; null for what belongs to no workspace.</param>
internal sealed record FileReference(FileReferenceKind Kind, string Name, bool IsInFile, FilePlace At, string? Workspace = null)
{
    /// <summary>What to report when the database does not have it either.</summary>
    public FileError ToError()
    {
        var kind = Kind == FileReferenceKind.EmbeddingModel ? "embedding model" : Kind.ToString().ToLowerInvariant();
        var where = Workspace is null ? "" : $" in the workspace '{Workspace}'";
        return At.Error($"there is no {kind} {FileWords.Quote(Name)}{where}, neither in this file nor in the database");
    }
}

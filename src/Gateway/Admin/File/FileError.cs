namespace Gateway.Admin.File;

/// <summary>One thing that is wrong with the file.</summary>
/// <param name="Line">Counted from 1.</param>
/// <param name="Path">Such as <c>models[0].deployments[0].provider</c>; empty when the whole file is meant.</param>
/// <param name="Message">What was expected. Never holds a credential; a refused value is shown as the file writes it,
/// its <c>${VARIABLE}</c> not filled in.</param>
internal sealed record FileError(int Line, string Path, string Message)
{
    public override string ToString() =>
        Path.Length == 0 ? $"line {Line}: {Message}" : $"line {Line}, {Path}: {Message}";
}

/// <summary>Where something stands in the file, kept so that what only the database knows is reported there.</summary>
internal readonly record struct FilePlace(int Line, string Path)
{
    public FileError Error(string message) => new(Line, Path, message);

    public FilePlace Field(string name, int line) => new(line, Path.Length == 0 ? Step(name) : Join(Path, Step(name)));

    public FilePlace Item(int index, int line) => new(line, $"{Path}[{index}]");

    private static string Join(string path, string step) => step[0] == '[' ? path + step : $"{path}.{step}";

    // A free name may hold dots and brackets, which would read as another path.
    private static string Step(string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? name
            : $"[{FileWords.Quote(name)}]";
}

using static Gateway.Admin.File.FileShape;
using static Gateway.Admin.File.FileTexts;

namespace Gateway.Admin.File;

internal static class DatasetShape
{
    private static readonly Text Instruction = new(MaxLength: 4_000, HasLines: true, MayBeEmpty: true);

    public static readonly FileShape.Object Dataset = new(
        new("name", DatasetName, "What bots call it. Its identity in the workspace.", IsRequired: true),
        new("description", Prose, "What is in it: tells the model when to search it."),
        new("enabled", YesNo, "Whether bots search it.", Default: "true"),
        new("files", new List(new Text(MaxLength: 1_000, Expected: "a path such as ./handbook/*.md"), UniqueBy: ""),
            "Its files, relative to this one; '*' is any part of a name, '**' any folders. Absent: the files that are there stay; []: they go."),
        new("language", new Text(Pattern: "^[a-z_][a-z0-9_]*$", MaxLength: 63, Expected: "a text search configuration of Postgres, such as english"),
            "The language of its words: a text search configuration of Postgres, such as english.", Default: FileDataset.DefaultLanguage),
        new("embeddingModel", ExactModelName, "The embedding model that makes its vectors. Absent: it is searched by words alone."),
        new("chunkTokens", new Number(32, 8_192, IsWhole: true), "Most tokens of a piece, as it is found and shown to the model.",
            Default: Show(FileDataset.DefaultChunkTokens)),
        new("overlapTokens", new Number(0, 4_096, IsWhole: true),
            "What a piece repeats of the one before it, where a paragraph had to be cut.", Default: Show(FileDataset.DefaultOverlapTokens)),
        new("searchMaxRecords", new Number(1, 100, IsWhole: true), "Most pieces that a search gives.", Default: Show(FileDataset.DefaultMaxRecords)),
        new("searchMinScore", new Number(0, 1, IsWhole: false), "Pieces with a lower score are left out.", Default: "0"),
        new("searchMaxTokens", new Number(1, 1_000_000, IsWhole: true), "Most tokens that a search gives.", Default: Show(FileDataset.DefaultMaxTokens)),
        new("matchInstruction", Instruction, "Told to the model with what was found. Empty: the gateway's own words."),
        new("mismatchInstruction", Instruction, "Told to the model when nothing was found. Empty: the gateway's own words."),
        Manager);
}

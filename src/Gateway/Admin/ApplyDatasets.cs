using System.Security.Cryptography;
using Gateway.Admin.File;
using Gateway.Bots.Datasets;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>Makes datasets and their files what the file says, and queues what follows from it.</summary>
internal sealed class ApplyDatasets(
    GatewayDb db, ApplyRows rows, ApplyChanges changes, List<FileError> errors, TimeProvider clock, ManagedBy managed = ManagedBy.File)
{
    /// <param name="files">Those that the YAML names; null: it names none, and those that are there stay.</param>
    public async Task MatchAsync(WorkspaceRow workspace, FileDataset wanted, IReadOnlyList<FoundFile>? files, CancellationToken cancel)
    {
        if (!rows.Languages.Contains(wanted.Language))
        {
            var nearest = FileWords.Nearest(wanted.Language, rows.Languages) is { } meant ? $" (did you mean '{meant}'?)" : "";
            errors.Add(wanted.At.Field("language", wanted.At.Line).Error(
                $"the database has no text search configuration {FileWords.Quote(wanted.Language)}{nearest}"));
        }

        var isNew = !rows.Datasets.TryGetValue((workspace.Id, wanted.Name), out var row);
        if (wanted.IsLeftTo(row?.Managed))
        {
            return;
        }

        if (row is null)
        {
            row = new DatasetRow
            {
                WorkspaceId = workspace.Id,
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                Description = "",
                Managed = wanted.Manager(managed),
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.Datasets.Add(row);
            rows.Datasets.Add((workspace.Id, wanted.Name), row);
            changes.Added("dataset", $"{workspace.Name}/{wanted.Name}");
        }

        var edit = new ApplyEdit();
        MatchIngestion(row, wanted, edit);
        var isToBeMadeAgain = !isNew && edit.Fields.Count > 0;
        MatchSearch(row, wanted, edit);
        await MatchFilesAsync(row, files, edit, isNew, cancel);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        if (isToBeMadeAgain)
        {
            await IngestJobs.QueueAsync(db, row.WorkspaceId, row.Id, null, clock, cancel);
        }

        if (!isNew)
        {
            changes.Changed("dataset", $"{workspace.Name}/{wanted.Name}", edit);
        }
    }

    /// <summary>What its chunks and vectors depend on.</summary>
    private static void MatchIngestion(DatasetRow row, FileDataset wanted, ApplyEdit edit)
    {
        edit.Set("language", row.Language, wanted.Language, v => row.Language = v);
        edit.Set("embeddingModel", row.EmbeddingModel, wanted.EmbeddingModel, v => row.EmbeddingModel = v);
        edit.Set("chunkTokens", row.ChunkTokens, wanted.ChunkTokens, v => row.ChunkTokens = v);
        edit.Set("overlapTokens", row.OverlapTokens, wanted.OverlapTokens, v => row.OverlapTokens = v);
    }

    private static void MatchSearch(DatasetRow row, FileDataset wanted, ApplyEdit edit)
    {
        edit.Set("description", row.Description, wanted.Description, v => row.Description = v);
        edit.Set("enabled", row.IsEnabled, wanted.IsEnabled, v => row.IsEnabled = v);
        edit.Set("searchMaxRecords", row.SearchMaxRecords, wanted.SearchMaxRecords, v => row.SearchMaxRecords = v);
        edit.Set("searchMinScore", row.SearchMinScore, wanted.SearchMinScore, v => row.SearchMinScore = v);
        edit.Set("searchMaxTokens", row.SearchMaxTokens, wanted.SearchMaxTokens, v => row.SearchMaxTokens = v);
        edit.Set("matchInstruction", row.MatchInstruction, wanted.MatchInstruction, v => row.MatchInstruction = v);
        edit.Set("mismatchInstruction", row.MismatchInstruction, wanted.MismatchInstruction, v => row.MismatchInstruction = v);
    }

    private async Task MatchFilesAsync(
        DatasetRow dataset, IReadOnlyList<FoundFile>? wanted, ApplyEdit edit, bool isNew, CancellationToken cancel)
    {
        if (wanted is null)
        {
            return;
        }

        var there = isNew ? [] : rows.Files[dataset.Id].ToDictionary(f => f.Name, StringComparer.Ordinal);
        foreach (var file in wanted)
        {
            if (!there.Remove(file.Name, out var row))
            {
                await AddAsync(dataset, file, edit, cancel);
            }
            else if (!row.Hash.AsSpan().SequenceEqual(file.Hash) || row.Managed != managed)
            {
                await ReplaceAsync(row, file, edit, cancel);
            }
        }

        // Those of the API stay: what a file did not make, it does not remove.
        foreach (var surplus in there.Values.Where(f => f.Managed == ManagedBy.File))
        {
            edit.Assign("files", surplus, rows.Removed.Add);
            // The records go in the background, where all that writes them is: the job finds its file gone.
            await IngestJobs.QueueAsync(db, surplus.WorkspaceId, surplus.DatasetId, surplus.Id, clock, cancel);
        }
    }

    private async Task AddAsync(DatasetRow dataset, FoundFile file, ApplyEdit edit, CancellationToken cancel)
    {
        if (await ReadAsync(file, cancel) is not { } content)
        {
            return;
        }

        var row = new DatasetFileRow
        {
            WorkspaceId = dataset.WorkspaceId,
            DatasetId = dataset.Id,
            Id = Guid.CreateVersion7(clock.GetUtcNow()),
            Name = file.Name,
            Content = content,
            Hash = SHA256.HashData(content),
            Managed = managed,
            CreatedAt = clock.GetUtcNow().UtcDateTime,
        };
        edit.Assign("files", row, v => db.DatasetFiles.Add(v));
        await IngestJobs.QueueAsync(db, dataset.WorkspaceId, dataset.Id, row.Id, clock, cancel);
    }

    private async Task ReplaceAsync(DatasetFileRow row, FoundFile file, ApplyEdit edit, CancellationToken cancel)
    {
        var isChanged = !row.Hash.AsSpan().SequenceEqual(file.Hash);
        if ((isChanged ? await ReadAsync(file, cancel) : []) is not { } content)
        {
            return;
        }

        var entry = db.DatasetFiles.Attach(row);
        edit.Assign("files", managed, v => row.Managed = v);
        if (isChanged)
        {
            row.Content = content;
            row.Hash = SHA256.HashData(content);
            // What stands in the row is not what the database has, so a comparison could say that it is the same.
            entry.Property(f => f.Content).IsModified = true;
            await IngestJobs.QueueAsync(db, row.WorkspaceId, row.DatasetId, row.Id, clock, cancel);
        }
    }

    private async Task<byte[]?> ReadAsync(FoundFile file, CancellationToken cancel)
    {
        try
        {
            return await System.IO.File.ReadAllBytesAsync(file.Path, cancel);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            errors.Add(file.At.Error($"{FileWords.Quote(file.Name)} cannot be read: {gone.Message}"));
            return null;
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using Gateway.Admin;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Admin;

/// <summary>Files of datasets on their way from the disk into the database, and the jobs that follow.</summary>
public sealed class ApplyDatasetTests(TestPostgres postgres)
{
    private const string Yaml = "workspaces: [ { name: acme, datasets: [ { name: handbook, files: [\"./handbook/*.md\"] } ] } ]";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_file_is_stored_with_a_job_and_what_did_not_change_is_left_alone()
    {
        await using var installed = await InstalledAsync();

        var first = await installed.ApplyAsync(Yaml);
        var version = await installed.ReadAsync(db => db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel));
        var second = await installed.ApplyAsync(Yaml);

        Assert.Equal(["+ workspace acme", "+ dataset acme/handbook"], first);
        Assert.Empty(second);
        var files = await installed.ReadAsync(db => db.DatasetFiles.OrderBy(f => f.Name).ToListAsync(Cancel));
        Assert.Equal(
            [("handbook/a.md", "A", ManagedBy.File), ("handbook/b.md", "B", ManagedBy.File)],
            files.Select(f => (f.Name, Encoding.UTF8.GetString(f.Content), f.Managed)));
        Assert.All(files, f => Assert.Equal(SHA256.HashData(f.Content), f.Hash));
        var jobs = await installed.ReadAsync(db => db.Jobs.ToListAsync(Cancel));
        Assert.Equal(files.Select(f => f.Id).Order(), jobs.Select(j => j.FileId!.Value).Order());
        Assert.All(jobs, j => Assert.Equal((JobState.Queued, files[0].DatasetId, null, 0), (j.State, j.DatasetId, j.Instance, j.Tries)));
        Assert.Equal(version, await installed.ReadAsync(db => db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel)));
    }

    [Fact]
    public async Task A_changed_file_is_stored_and_read_again_once_however_often_it_changes_before_that()
    {
        await using var installed = await InstalledAsync();
        await installed.ApplyAsync(Yaml);
        await installed.ReadAsync(db => db.Jobs.ExecuteUpdateAsync(j => j.SetProperty(r => r.State, JobState.Done), Cancel));

        await installed.WriteAsync("handbook/a.md", "A2");
        var changes = await installed.ApplyAsync(Yaml, new ApplyOptions(OnlyIfNew: true));
        await installed.WriteAsync("handbook/a.md", "A3");
        await installed.ApplyAsync(Yaml, new ApplyOptions(OnlyIfNew: true));

        Assert.Equal(["~ dataset acme/handbook (files)"], changes);
        var file = await installed.ReadAsync(db => db.DatasetFiles.SingleAsync(f => f.Name == "handbook/a.md", Cancel));
        Assert.Equal("A3", Encoding.UTF8.GetString(file.Content));
        Assert.Equal([file.Id], await installed.ReadAsync(db => db.Jobs.Where(j => j.State == JobState.Queued).Select(j => j.FileId!.Value).ToListAsync(Cancel)));
    }

    [Fact]
    public async Task A_file_that_is_gone_loses_its_row_and_its_records_are_taken_out_by_a_job()
    {
        await using var installed = await InstalledAsync();
        await installed.ApplyAsync(Yaml);
        var gone = await installed.ReadAsync(db => db.DatasetFiles.Where(f => f.Name == "handbook/a.md").Select(f => f.Id).SingleAsync(Cancel));
        await installed.ReadAsync(db => db.Jobs.ExecuteDeleteAsync(Cancel));

        installed.Delete("handbook/a.md");
        var changes = await installed.ApplyAsync(Yaml);

        Assert.Equal(["~ dataset acme/handbook (files)"], changes);
        Assert.Equal(["handbook/b.md"], await installed.ReadAsync(db => db.DatasetFiles.Select(f => f.Name).ToListAsync(Cancel)));
        Assert.Equal([gone], await installed.ReadAsync(db => db.Jobs.Select(j => j.FileId!.Value).ToListAsync(Cancel)));
    }

    [Fact]
    public async Task Without_files_those_that_are_there_stay_and_an_empty_list_removes_what_a_file_made()
    {
        await using var installed = await InstalledAsync();
        await installed.ApplyAsync(Yaml);
        await installed.ReadAsync(db => db.DatasetFiles.Where(f => f.Name == "handbook/b.md").ExecuteUpdateAsync(f => f.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));

        var without = await installed.ApplyAsync(Yaml.Replace(", files: [\"./handbook/*.md\"]", "", StringComparison.Ordinal), new ApplyOptions(Prune: true));
        var empty = await installed.ApplyAsync(Yaml.Replace("\"./handbook/*.md\"", "", StringComparison.Ordinal));

        Assert.Empty(without);
        Assert.Equal(["~ dataset acme/handbook (files)"], empty);
        Assert.Equal(["handbook/b.md"], await installed.ReadAsync(db => db.DatasetFiles.Select(f => f.Name).ToListAsync(Cancel)));
    }

    [Fact]
    public async Task A_file_of_the_API_is_adopted_by_its_name()
    {
        await using var installed = await InstalledAsync();
        await installed.ApplyAsync(Yaml);
        await installed.ReadAsync(db => db.DatasetFiles.ExecuteUpdateAsync(f => f.SetProperty(r => r.Managed, ManagedBy.Api), Cancel));
        await installed.ReadAsync(db => db.Jobs.ExecuteDeleteAsync(Cancel));

        var changes = await installed.ApplyAsync(Yaml);

        Assert.Equal(["~ dataset acme/handbook (files)"], changes);
        Assert.Equal(2, await installed.ReadAsync(db => db.DatasetFiles.CountAsync(f => f.Managed == ManagedBy.File && f.Content.Length == 1, Cancel)));
        Assert.Equal(0, await installed.ReadAsync(db => db.Jobs.CountAsync(Cancel)));
    }

    [Fact]
    public async Task A_dataset_is_made_again_when_its_chunks_or_vectors_would_be_others()
    {
        await using var installed = await InstalledAsync();
        await installed.ApplyAsync(Yaml);
        await installed.ReadAsync(db => db.Jobs.ExecuteDeleteAsync(Cancel));

        await installed.ApplyAsync(Yaml.Replace("name: handbook", "name: handbook, searchMaxRecords: 9", StringComparison.Ordinal));
        var before = await installed.ReadAsync(db => db.Jobs.CountAsync(Cancel));
        await installed.ApplyAsync(Yaml.Replace("name: handbook", "name: handbook, chunkTokens: 256", StringComparison.Ordinal));
        await installed.ApplyAsync(Yaml.Replace("name: handbook", "name: handbook, language: english", StringComparison.Ordinal));

        Assert.Equal(0, before);
        Assert.Equal([null], await installed.ReadAsync(db => db.Jobs.Select(j => j.FileId).ToListAsync(Cancel)));
    }

    [Fact]
    public async Task A_dry_run_stores_no_file_and_queues_nothing()
    {
        await using var installed = await InstalledAsync();

        Assert.Equal(["+ workspace acme", "+ dataset acme/handbook"], await installed.ApplyAsync(Yaml, new ApplyOptions(DryRun: true)));

        Assert.Equal((0, 0), await installed.ReadAsync(async db => (await db.DatasetFiles.CountAsync(Cancel), await db.Jobs.CountAsync(Cancel))));
    }

    [Fact]
    public async Task What_does_not_match_or_is_too_large_is_named_with_its_place()
    {
        await using var installed = await InstalledAsync();
        await installed.WriteAsync("large.txt", new string('x', ApplyFiles.MaxFileBytes + 1));

        var errors = await installed.RefusedAsync("""
            workspaces:
              - name: acme
                datasets:
                  - name: handbook
                    language: englisch
                    files:
                      - ./handbook/*.md
                      - none/*.md
                      - large.txt
            """);
        var language = await installed.RefusedAsync("workspaces: [ { name: acme, datasets: [ { name: d, language: englisch } ] } ]");

        Assert.Equal(2, errors.Count);
        Assert.StartsWith("gateway.yaml:8: workspaces[0].datasets[0].files[1]: there is no file 'none/*.md' in ", errors[0], StringComparison.Ordinal);
        Assert.Equal("gateway.yaml:9: workspaces[0].datasets[0].files[2]: 'large.txt' has 16.0 MiB, and a dataset's file at most 16 MiB", errors[1]);
        Assert.Equal(
            ["gateway.yaml:1: workspaces[0].datasets[0].language: the database has no text search configuration 'englisch' (did you mean 'english'?)"], language);
    }

    [Fact]
    public async Task An_embedding_model_keeps_its_vectors_form_while_a_dataset_has_them()
    {
        const string Vectors = """
            providers: [ { name: p, baseUrl: "http://h" } ]
            embeddingModels: [ { name: e, provider: p, dimensions: 3 } ]
            workspaces: [ { name: acme, datasets: [ { name: d, embeddingModel: e } ] } ]
            """;
        await using var installed = await InstalledAsync();
        await installed.ApplyAsync(Vectors);

        var refused = await installed.RefusedAsync(Vectors.Replace("dimensions: 3", "dimensions: 4", StringComparison.Ordinal));
        var priced = await installed.ApplyAsync(Vectors.Replace("dimensions: 3", "dimensions: 3, price: { input: 1 }", StringComparison.Ordinal));
        var unused = await installed.ApplyAsync(
            Vectors.Replace("dimensions: 3", "dimensions: 4", StringComparison.Ordinal).Replace(", embeddingModel: e", "", StringComparison.Ordinal));

        Assert.Equal(
            ["gateway.yaml:2: embeddingModels[0]: 'model' and 'dimensions' cannot change while dataset 'acme/d' has vectors of it; "
                + "add the new one under another name, and name that there"],
            refused);
        Assert.Equal(["~ embedding model e (price)"], priced);
        Assert.Equal(["~ embedding model e (dimensions, price)", "~ dataset acme/d (embeddingModel)"], unused);
    }

    private async Task<Installed> InstalledAsync()
    {
        var installed = await Installed.InAsync(postgres);
        await installed.WriteAsync("handbook/a.md", "A");
        await installed.WriteAsync("handbook/b.md", "B");
        return installed;
    }
}

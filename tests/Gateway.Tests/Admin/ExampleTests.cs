using Gateway.Admin;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Repository = Gateway.Tests.Admin.File.Repository;

namespace Gateway.Tests.Admin;

/// <summary>The <c>deploy/gateway.yaml</c> that the repository shows, applied as it is, with the files that it names.</summary>
public sealed class ExampleTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_applied_without_a_warning_and_again_changes_nothing()
    {
        await using var installed = await Installed.InAsync(postgres);
        var path = Path.Combine(Repository.Root, "deploy/gateway.yaml");

        async Task<ApplyOutcome> ApplyAsync()
        {
            await using var db = installed.Database.NewContext();
            var source = ApplySource.Read(
                path, await System.IO.File.ReadAllBytesAsync(path, Cancel), installed.Box, new ApplyFiles(TimeProvider.System), name => name is "OPENAI_API_KEY" or "SHOP_TOKEN" ? $"value-of-{name}" : null);
            return await new Applier(db, installed.Box, installed.Settings, TimeProvider.System).ApplyAsync(source, new ApplyOptions(), Cancel);
        }

        var first = await ApplyAsync();
        var second = await ApplyAsync();

        Assert.Empty(first.Errors.Concat(first.Warnings).Select(e => e.ToString()));
        Assert.Contains("+ bot acme/support", first.Changes);
        Assert.Empty(second.Changes);
        Assert.Equal(
            ["handbook/accounts.md", "handbook/returns.md", "handbook/shipping.md"],
            (await installed.ReadAsync(db => db.DatasetFiles.Select(f => f.Name).ToListAsync(Cancel))).Order(StringComparer.Ordinal));
    }
}

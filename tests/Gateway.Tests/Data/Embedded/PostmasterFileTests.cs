using System.Diagnostics;
using Gateway.Data.Embedded;

namespace Gateway.Tests.Data.Embedded;

public sealed class PostmasterFileTests
{
    private const string Ready =
        "4242\n/var/lib/gateway/postgres\n1763000000\n40123\n\n127.0.0.1\n  1234567     98304\nready   \n";

    [Fact]
    public void Postmaster_file_of_a_running_server_is_read()
    {
        var file = PostmasterFile.Parse(Ready);

        Assert.Equal(new PostmasterFile(4242, "/var/lib/gateway/postgres", 40123, "ready"), file);
        Assert.True(file!.IsReady);
    }

    [Theory]
    [InlineData("starting")]
    [InlineData("stopping")]
    [InlineData("standby")]
    public void Postmaster_file_with_another_status_is_not_ready(string status) =>
        Assert.False(PostmasterFile.Parse(Ready.Replace("ready", status, StringComparison.Ordinal))!.IsReady);

    [Fact]
    public void Postmaster_file_that_is_still_being_written_is_read_as_far_as_it_goes()
    {
        var file = PostmasterFile.Parse("4242\n/data/postgres\n1763000000\n");

        Assert.Equal(new PostmasterFile(4242, "/data/postgres", null, ""), file);
        Assert.False(file!.IsReady);
    }

    [Theory]
    [InlineData("")]
    [InlineData("4242")]
    [InlineData("4242\n")]
    [InlineData("-4242\n/data/postgres\n")]
    [InlineData("none\n/data/postgres\n")]
    public void Postmaster_file_without_process_or_directory_is_none(string text) =>
        Assert.Null(PostmasterFile.Parse(text));

    [Fact]
    public async Task Process_that_has_inherited_the_id_of_a_server_is_not_taken_for_it()
    {
        using var inheritor = Process.Start("sleep", "60");
        try
        {
            var file = new PostmasterFile(inheritor.Id, "/data/postgres", 40123, "ready");

            Assert.False(await file.IsServingAsync("/data/postgres", TestContext.Current.CancellationToken));
        }
        finally
        {
            inheritor.Kill();
        }
    }

    [Fact]
    public async Task Marking_a_leftover_changes_the_process_id_alone()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, Ready, TestContext.Current.CancellationToken);

            await PostmasterFile.MarkAsLeftoverAsync(path, TestContext.Current.CancellationToken);

            var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(Ready.Replace("4242\n", "2147483646\n", StringComparison.Ordinal), text);
        }
        finally
        {
            File.Delete(path);
        }
    }
}

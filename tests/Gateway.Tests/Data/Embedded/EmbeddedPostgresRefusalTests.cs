using Gateway.Data.Embedded;

namespace Gateway.Tests.Data.Embedded;

public sealed class EmbeddedPostgresRefusalTests
{
    [Fact]
    public async Task Command_that_finds_no_database_says_where_it_looked_and_makes_nothing()
    {
        await using var directory = new DataDirectoryForTest();

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.CommandAsync);

        Assert.Contains($"no database in '{directory.Cluster.Path}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Gateway__DataDirectory", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.Data));
    }

    [Fact]
    public async Task Directory_with_something_else_in_it_is_left_as_it_is()
    {
        await using var directory = new DataDirectoryForTest();
        var precious = Path.Combine(Directory.CreateDirectory(directory.Cluster.Path).FullName, "precious.txt");
        await File.WriteAllTextAsync(precious, "mine", TestContext.Current.CancellationToken);

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.ServeAsync);

        Assert.Contains("not a Postgres cluster", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([precious], Directory.EnumerateFileSystemEntries(directory.Cluster.Path));
    }

    [Fact]
    public async Task Directory_whose_name_a_shell_would_read_otherwise_is_refused()
    {
        var options = new EmbeddedPostgresOptions
        {
            DataDirectory = Path.Combine(Path.GetTempPath(), "gateway-$HOME"),
            MayCreate = true,
        };

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(
            () => EmbeddedPostgres.StartAsync(options, TestContext.Current.CancellationToken));

        Assert.Contains("a character in its path", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(options.DataDirectory));
    }

    [Fact]
    public async Task Second_gateway_on_one_directory_is_refused_and_the_first_goes_on()
    {
        await using var directory = new DataDirectoryForTest();
        await using var first = await directory.ServeAsync();

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.ServeAsync);

        Assert.Contains($"Another gateway is running on the data directory '{directory.Data}'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await DataDirectoryForTest.ScalarAsync<int>(first, "SELECT 1"));
    }

    [Fact]
    public async Task Missing_password_is_named_and_the_cluster_kept()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var first = await directory.ServeAsync())
        {
        }

        var aside = directory.Cluster.PasswordFile + ".aside";
        File.Move(directory.Cluster.PasswordFile, aside);
        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.ServeAsync);
        File.Move(aside, directory.Cluster.PasswordFile);
        await using var again = await directory.ServeAsync();

        Assert.Contains(directory.Cluster.PasswordFile, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await DataDirectoryForTest.ScalarAsync<int>(again, "SELECT 1"));
    }

    [Fact]
    public async Task Wrong_password_is_named_and_the_server_not_left_running()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var first = await directory.ServeAsync())
        {
        }

        await File.WriteAllTextAsync(directory.Cluster.PasswordFile, "wrong", TestContext.Current.CancellationToken);
        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.ServeAsync);

        Assert.Contains(directory.Cluster.PasswordFile, refusal.Message, StringComparison.Ordinal);
        Assert.Null(await directory.PidAsync());
    }

    [Fact]
    public async Task Failed_creation_leaves_nothing_behind()
    {
        await using var directory = new DataDirectoryForTest();
        var cluster = new ClusterDirectory(Directory.CreateDirectory(directory.Data).FullName);
        var server = await ServerUser.ChooseAsync(cluster, TestContext.Current.CancellationToken);
        var installed = await PostgresBinaries.FindAllAsync(TestContext.Current.CancellationToken);
        // An initdb that gets as far as making files, and then fails as on a full disk.
        var broken = Directory.CreateDirectory(Path.Combine(directory.Path, "bin"));
        var script = Path.Combine(broken.FullName, "initdb");
        await File.WriteAllTextAsync(script,
            "#!/bin/sh\nmkdir -p \"$2/base\" && echo 15 > \"$2/PG_VERSION\"\necho 'initdb: error: No space left on device' >&2\nexit 1\n",
            TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
        }

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => cluster.CreateAsync(
            installed[0] with { Directory = broken.FullName }, server, TestContext.Current.CancellationToken));

        Assert.Contains($"the disk that holds '{cluster.Data}' is full", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([cluster.PasswordFile], Directory.EnumerateFileSystemEntries(cluster.Data));
    }

    [Fact]
    public async Task Directory_that_the_servers_user_cannot_enter_is_named()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root hands the server to another user.");
        await using var directory = new DataDirectoryForTest();
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.ServeAsync);

        Assert.Contains($"may not enter '{directory.Path}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Gateway__DataDirectory", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.Data));
    }

    [Fact]
    public async Task Database_that_runs_where_its_process_cannot_be_seen_is_not_started_twice()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var first = await directory.ServeAsync())
        {
        }

        // As a gateway in another container holds it: the lock reaches here, its processes do not.
        using var elsewhere = DirectoryLock.TryTake(directory.Cluster.UsersLock, isShared: true);
        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(directory.CommandAsync);

        Assert.Contains("not among the processes", refusal.Message, StringComparison.Ordinal);
        Assert.Null(await directory.PidAsync());
    }
}

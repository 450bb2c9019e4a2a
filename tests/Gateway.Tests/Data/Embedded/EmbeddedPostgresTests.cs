using Gateway.Data.Embedded;

namespace Gateway.Tests.Data.Embedded;

public sealed class EmbeddedPostgresTests
{
    [Fact]
    public async Task First_start_makes_a_utf8_database_on_loopback_with_a_private_password()
    {
        await using var directory = new DataDirectoryForTest();

        await using var postgres = await directory.ServeAsync();

        Assert.Equal("gateway", await DataDirectoryForTest.ScalarAsync<string>(postgres, "SELECT current_database()::text"));
        Assert.Equal("UTF8", await DataDirectoryForTest.ScalarAsync<string>(postgres, "SHOW server_encoding"));
        Assert.Equal("C.UTF-8", await DataDirectoryForTest.ScalarAsync<string>(
            postgres, "SELECT datcollate::text FROM pg_database WHERE datname = 'gateway'"));
        Assert.Equal("127.0.0.1", await DataDirectoryForTest.ScalarAsync<string>(postgres, "SHOW listen_addresses"));
        Assert.Equal("", await DataDirectoryForTest.ScalarAsync<string>(postgres, "SHOW unix_socket_directories"));
        Assert.Equal("on", await DataDirectoryForTest.ScalarAsync<string>(postgres, "SHOW fsync"));
        Assert.Equal(0L, await DataDirectoryForTest.ScalarAsync<long>(
            postgres, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"));
        Assert.Contains(directory.Progress, line => line.StartsWith("Creating the database", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateDirectories(directory.Data, "postgres.new*"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.Cluster.PasswordFile));
        }
    }

    [Fact]
    public async Task Server_runs_in_a_session_of_its_own()
    {
        await using var directory = new DataDirectoryForTest();
        await using var postgres = await directory.ServeAsync();

        var pid = (await directory.PidAsync())!.Value;

        Assert.Equal(pid, await SessionAsync(pid));
        Assert.NotEqual(await SessionAsync(Environment.ProcessId), await SessionAsync(pid));
    }

    [Fact]
    public async Task Second_start_keeps_data_port_and_password()
    {
        await using var directory = new DataDirectoryForTest();
        string first;
        await using (var postgres = await directory.ServeAsync())
        {
            first = postgres.ConnectionString;
            await WriteAsync(postgres);
        }

        Assert.Null(await directory.PidAsync());
        await using var again = await directory.ServeAsync();

        Assert.Equal(1, await ReadAsync(again));
        Assert.Equal(first, again.ConnectionString);
        Assert.DoesNotContain(directory.Progress, line => line.Contains("recovering", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Server_whose_port_was_taken_meanwhile_starts_on_another()
    {
        await using var directory = new DataDirectoryForTest();
        string first;
        await using (var postgres = await directory.ServeAsync())
        {
            first = postgres.ConnectionString;
        }

        var port = int.Parse(await File.ReadAllTextAsync(
            Path.Combine(directory.Data, "postgres.port"), TestContext.Current.CancellationToken));
        using var taker = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        taker.Start();
        await using var again = await directory.ServeAsync();

        Assert.NotEqual(first, again.ConnectionString);
        Assert.Equal("gateway", await DataDirectoryForTest.ScalarAsync<string>(again, "SELECT current_database()::text"));
    }

    [Fact]
    public async Task Start_after_the_server_was_killed_recovers_its_data()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var postgres = await directory.ServeAsync())
        {
        }

        await directory.StartOrphanAsync();
        await using (var command = await directory.CommandAsync())
        {
            await WriteAsync(command);
            await directory.KillServerAsync();
        }

        await using var again = await directory.ServeAsync();

        Assert.Equal(1, await ReadAsync(again));
        Assert.Contains(directory.Progress, line => line.Contains("recovering", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Server_killed_under_a_running_owner_comes_back_on_its_port()
    {
        await using var directory = new DataDirectoryForTest();
        await using var postgres = await directory.ServeAsync();
        await WriteAsync(postgres);
        var killed = await directory.PidAsync();

        await directory.KillServerAsync();
        await UntilAsync(() => directory.Progress.Contains("The database server is running again."));

        Assert.Equal(1, await ReadAsync(postgres));
        Assert.NotEqual(killed, await directory.PidAsync());
        Assert.False(await postgres.RestartIfDownAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Orphan_of_a_killed_gateway_is_adopted_and_stopped_by_the_next_one()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var postgres = await directory.ServeAsync())
        {
            await WriteAsync(postgres);
        }

        var orphan = await directory.StartOrphanAsync();
        await using (var adopter = await directory.ServeAsync())
        {
            Assert.Equal(1, await ReadAsync(adopter));
            Assert.Equal(orphan, await directory.PidAsync());
        }

        Assert.Null(await directory.PidAsync());
    }

    [Fact]
    public async Task Command_beside_a_running_gateway_leaves_the_server_running()
    {
        await using var directory = new DataDirectoryForTest();
        await using var postgres = await directory.ServeAsync();
        var pid = await directory.PidAsync();

        await using (var command = await directory.CommandAsync())
        {
            await WriteAsync(command);
        }

        Assert.Equal(pid, await directory.PidAsync());
        Assert.Equal(1, await ReadAsync(postgres));
    }

    [Fact]
    public async Task Command_without_a_running_gateway_starts_the_server_for_itself()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var postgres = await directory.ServeAsync())
        {
            await WriteAsync(postgres);
        }

        await using (var command = await directory.CommandAsync())
        {
            Assert.Equal(1, await ReadAsync(command));
        }

        Assert.Null(await directory.PidAsync());
    }

    [Fact]
    public async Task Last_of_two_commands_stops_the_server_and_not_the_first()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var postgres = await directory.ServeAsync())
        {
            await WriteAsync(postgres);
        }

        var both = await Task.WhenAll(directory.CommandAsync(), directory.CommandAsync());
        await both[0].DisposeAsync();
        Assert.Equal(1, await ReadAsync(both[1]));
        await both[1].DisposeAsync();

        Assert.Null(await directory.PidAsync());
    }

    [Fact]
    public async Task Id_of_a_dead_server_that_another_process_has_now_does_not_block_the_start()
    {
        await using var directory = new DataDirectoryForTest();
        await using (var postgres = await directory.ServeAsync())
        {
            await WriteAsync(postgres);
        }

        var server = await ServerUser.ChooseAsync(directory.Cluster, TestContext.Current.CancellationToken);
        var noted = Path.Combine(directory.Cluster.Path, "inheritor");
        using var stop = new CancellationTokenSource();
        var inheritor = server.RunAsync("/bin/sh", ["-c", "echo $$ > \"$1\"; exec sleep 60", "sh", noted], stop.Token);
        await UntilAsync(() => File.Exists(noted) && new FileInfo(noted).Length > 0);
        var pid = (await File.ReadAllTextAsync(noted, TestContext.Current.CancellationToken)).Trim();
        await File.WriteAllTextAsync(
            directory.Cluster.PostmasterFilePath,
            $"{pid}\n{directory.Cluster.Path}\n1763000000\n40123\n\n127.0.0.1\n  1234567     98304\nready   \n",
            TestContext.Current.CancellationToken);
        await using var again = await directory.ServeAsync();

        Assert.Equal(1, await ReadAsync(again));
        Assert.False(inheritor.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inheritor);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(700)]
    [InlineData(1200)]
    [InlineData(1700)]
    public async Task Start_that_is_cancelled_leaves_no_server_and_the_next_one_works(int milliseconds)
    {
        await using var directory = new DataDirectoryForTest();
        using var impatient = new CancellationTokenSource(milliseconds);

        try
        {
            await using var finished = await directory.ServeUnlessAsync(impatient.Token);
        }
        catch (OperationCanceledException)
        {
            // On a fast machine it is ready before; then it is stopped like any other.
        }

        Assert.Null(await directory.PidAsync());
        await using var again = await directory.ServeAsync();
        Assert.Equal(1, await DataDirectoryForTest.ScalarAsync<int>(again, "SELECT 1"));
        Assert.DoesNotContain(directory.Progress, line => line.Contains("recovering", StringComparison.Ordinal));
    }

    private static Task<int> WriteAsync(EmbeddedPostgres postgres) => DataDirectoryForTest.ScalarAsync<int>(
        postgres, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1) RETURNING n");

    private static Task<int> ReadAsync(EmbeddedPostgres postgres) =>
        DataDirectoryForTest.ScalarAsync<int>(postgres, "SELECT n FROM kept");

    private static async Task<int> SessionAsync(int pid)
    {
        var stat = await File.ReadAllTextAsync($"/proc/{pid}/stat", TestContext.Current.CancellationToken);
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3]);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        for (var waited = 0; !isSo(); waited++)
        {
            Assert.True(waited < 300, "Not so after 30 s.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}

namespace Gateway.Data.Embedded;

/// <summary>Whom the server runs as: Postgres refuses root, so root hands it to somebody without rights.</summary>
internal static class ServerUser
{
    private static readonly string[] Unprivileged = ["postgres", "nobody"];

    /// <summary>The gateway's own user; for root the owner of the cluster, or of a cluster yet to be made the first there is.</summary>
    public static async Task<ServerProcess> ChooseAsync(ClusterDirectory cluster, CancellationToken cancel)
    {
        var self = new ServerProcess(user: null);
        if (!Environment.IsPrivilegedProcess)
        {
            return self;
        }

        if (cluster.Exists())
        {
            // The one portable way to ask: "drwx------ 19 postgres postgres 4096 …".
            var listed = await self.RequireAsync("ls", ["-ld", "--", cluster.Path], cancel);
            var owner = listed.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2];
            return owner != "root" && await ExistsAsync(owner)
                ? new ServerProcess(owner)
                : throw new EmbeddedPostgresException(
                    $"The database in '{cluster.Path}' belongs to '{owner}', and Postgres cannot run as that user here. "
                    + $"Give it to one that it can: chown -R postgres: '{cluster.Path}'");
        }

        foreach (var name in Unprivileged)
        {
            if (await ExistsAsync(name))
            {
                return new ServerProcess(name);
            }
        }

        throw new EmbeddedPostgresException(
            "Postgres does not run as root, and this machine has neither a user 'postgres' nor 'nobody'. "
            + "Create one (useradd --system postgres), start the gateway as another user, "
            + "or set ConnectionStrings__Gateway to a server that runs elsewhere.");

        async Task<bool> ExistsAsync(string name) =>
            (await self.RunAsync("id", ["-u", name], cancel)) is { ExitCode: 0 } answer && answer.Output.Trim() != "0";
    }

    /// <summary>Refuses a directory that the server's user cannot get into, naming the one that stands in the way.</summary>
    public static async Task RequireEntryAsync(ServerProcess server, string directory, CancellationToken cancel)
    {
        if (server.User is null)
        {
            return;
        }

        var walked = "/";
        foreach (var part in directory.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            walked = Path.Combine(walked, part);
            if (!Directory.Exists(walked))
            {
                return;
            }

            var entered = await server.RunAsync("/bin/sh", ["-c", "cd -- \"$1\"", "sh", walked], cancel);
            if (entered.ExitCode != 0)
            {
                throw new EmbeddedPostgresException(
                    $"The data directory '{directory}' cannot be used: as root the gateway runs Postgres as user "
                    + $"'{server.User}', who may not enter '{walked}'. Set Gateway__DataDirectory to a place that this user "
                    + $"can enter (/var/lib/gateway, say), allow it (chmod o+x '{walked}'), or start the gateway as another user.");
            }
        }
    }

    /// <summary>Gives a file or directory that root made to the server's user; nothing to do for anybody but root.</summary>
    public static async Task GiveAsync(ServerProcess server, string path, CancellationToken cancel)
    {
        if (server.User is { } user)
        {
            await new ServerProcess(user: null).RequireAsync("chown", ["-h", user + ":", "--", path], cancel);
        }
    }
}

using Gateway.Data.Embedded;

namespace Gateway.Tests.Data.Embedded;

public sealed class PostgresBinariesTests
{
    private static readonly PostgresBinaries Old = new("/old", 14, "14.9");
    private static readonly PostgresBinaries Fifteen = new("/fifteen", 15, "15.18");
    private static readonly PostgresBinaries Seventeen = new("/seventeen", 17, "17.2");

    [Theory]
    [InlineData("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15, "15.18")]
    [InlineData("postgres (PostgreSQL) 17.2\n", 17, "17.2")]
    [InlineData("postgres (PostgreSQL) 18beta1\n", 18, "18beta1")]
    [InlineData("postgres (PostgreSQL) 9.6.24\n", 9, "9.6.24")]
    public void Version_of_a_server_is_read(string text, int major, string version) =>
        Assert.Equal((major, version), PostgresBinaries.ParseVersion(text));

    [Theory]
    [InlineData("")]
    [InlineData("postgres: could not find itself")]
    [InlineData("mysqld 8.0.36")]
    public void Version_of_something_else_is_none(string text) => Assert.Null(PostgresBinaries.ParseVersion(text));

    [Fact]
    public void New_cluster_gets_the_first_that_is_new_enough() =>
        Assert.Equal(Fifteen, PostgresBinaries.Choose([Old, Fifteen, Seventeen], null, "/data"));

    [Fact]
    public void Existing_cluster_gets_its_own_version() =>
        Assert.Equal(Fifteen, PostgresBinaries.Choose([Seventeen, Fifteen], 15, "/data"));

    [Fact]
    public void No_server_is_refused_with_what_to_install()
    {
        var refusal = Assert.Throws<EmbeddedPostgresException>(() => PostgresBinaries.Choose([], null, "/data"));

        Assert.Contains("Install PostgreSQL 15 or newer", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings__Gateway", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Old_server_is_refused_by_its_version()
    {
        var refusal = Assert.Throws<EmbeddedPostgresException>(() => PostgresBinaries.Choose([Old], null, "/data"));

        Assert.Contains("too old (14.9 in /old)", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cluster_of_a_version_that_is_not_installed_is_refused_naming_both()
    {
        var refusal = Assert.Throws<EmbeddedPostgresException>(() => PostgresBinaries.Choose([Seventeen], 16, "/data"));

        Assert.Contains("'/data' is of PostgreSQL 16", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("17.2 in /seventeen", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cluster_that_is_too_old_is_refused_even_with_its_server_installed()
    {
        var refusal = Assert.Throws<EmbeddedPostgresException>(() => PostgresBinaries.Choose([Old, Fifteen], 14, "/data"));

        Assert.Contains("pg_upgrade", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_of_this_machine_is_found()
    {
        var found = await PostgresBinaries.FindAllAsync(TestContext.Current.CancellationToken);

        Assert.Contains(found, each => each.Major >= PostgresBinaries.OldestMajor && File.Exists(each.Program("initdb")));
    }
}

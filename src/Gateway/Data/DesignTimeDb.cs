using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Gateway.Data;

/// <summary>Lets <c>dotnet ef</c> make migrations without a server and without starting the application.</summary>
internal sealed class DesignTimeDb : IDesignTimeDbContextFactory<GatewayDb>
{
    public GatewayDb CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql("Host=localhost").Options);
}

using Gateway.Admin;
using Gateway.Data;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Data;

/// <summary>Settings that mean nothing are found and named, and no others.</summary>
public sealed class GatewaySettingsTests
{
    [Theory]
    [InlineData("Aply", "warning: Gateway__Aply is no setting; did you mean Gateway__Apply?")]
    [InlineData("ConnectionString", "warning: Gateway__ConnectionString is no setting; did you mean ConnectionStrings__Gateway?")]
    [InlineData("OpenAiApiKey", "warning: Gateway__OpenAiApiKey is no setting; did you mean OPENAI_API_KEY?")]
    [InlineData("Unknown", "warning: Gateway__Unknown is no setting")]
    [InlineData("Something", "warning: Gateway__Something is no setting")]
    public void A_setting_that_does_nothing_is_warned_about(string name, string warning)
    {
        var settings = Read(new() { [$"Gateway:{name}"] = "value", ["Gateway:Apply"] = "file" });

        Assert.Equal([warning], settings.Unknown.Select(StartLines.Warning));
    }

    [Fact]
    public void No_setting_that_there_is_is_warned_about()
    {
        var settings = Read(new()
        {
            ["Gateway:DataDirectory"] = "d",
            ["gateway:adminkey"] = "k",
            ["Gateway:AdminUrls"] = "",
            ["Gateway:EncryptionKey"] = "",
            ["Gateway:Apply"] = "",
            ["Gateway:Migrate"] = "true",
            ["Gateway:MaxRequestBytes"] = "2000",
            ["Gateway:MaxUploadBytes"] = "2000",
            ["Gateway:CorsOrigins"] = "*",
            ["Gateway:PublicUrl"] = "https://gateway.example",
            ["Gateway:Attachments"] = "disk",
            ["Gateway:DrainTimeout"] = "00:00:10",
            ["Gateway:PollInterval"] = "00:00:05",
            ["Gateway:Demo"] = "false",
            ["ConnectionStrings:Gateway"] = "Host=db",
            ["OPENAI_API_KEY"] = "k",
        });

        Assert.Empty(settings.Unknown);
        Assert.Equal(("d", "k", "Host=db"), (settings.DataDirectory, settings.AdminKey, settings.ConnectionString));
    }

    private static GatewaySettings Read(Dictionary<string, string?> values) =>
        GatewaySettings.Read(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
}

using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Support;
using YamlDotNet.Serialization;

namespace Gateway.Tests.Observability;

/// <summary>The manifests in <c>deploy/kubernetes</c>, held against the image and a running gateway.</summary>
public sealed class KubernetesTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly List<JsonObject> _manifests = Read();

    private JsonObject StatefulSet => _manifests.Single(m => (string)m["kind"]! == "StatefulSet")["spec"]!.AsObject();

    private JsonObject Pod => StatefulSet["template"]!["spec"]!.AsObject();

    private JsonObject Container => Assert.Single(Pod["containers"]!.AsArray())!.AsObject();

    private Dictionary<string, JsonObject> Environment =>
        Container["env"]!.AsArray().ToDictionary(e => (string)e!["name"]!, e => e!.AsObject());

    [Fact]
    public async Task Its_probes_and_scrapes_are_answered_where_it_says()
    {
        // Arrange
        var adminUrl = $"http://127.0.0.1:{FreePort.Next()}";
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = new Dictionary<string, string> { ["Gateway__AdminUrls"] = adminUrl },
            },
            Cancel);
        var hosts = new Dictionary<string, string> { ["http"] = gateway.BaseUrl, ["admin"] = adminUrl };
        var annotations = StatefulSet["template"]!["metadata"]!["annotations"]!;
        var asked = new[] { "startupProbe", "livenessProbe", "readinessProbe" }
            .Select(p => Container[p]!["httpGet"]!).Select(get => (Port: (string)get["port"]!, Path: (string)get["path"]!))
            .Append((PortNamed((string)annotations["prometheus.io/port"]!), (string)annotations["prometheus.io/path"]!));
        using var client = gateway.Client(key: null);

        // Act and assert
        foreach (var (port, path) in asked)
        {
            using var reply = await client.GetAsync(new Uri(hosts[port] + path), Cancel);
            Assert.True(reply.IsSuccessStatusCode, $"{port} {path}: {(int)reply.StatusCode}");
        }
    }

    [Fact]
    public void Its_ports_are_those_that_the_image_listens_on()
    {
        var ports = Container["ports"]!.AsArray().ToDictionary(p => (string)p!["name"]!, p => p!["containerPort"]!.ToString());
        var image = File.ReadAllText(Repository.PathOf("deploy", "Dockerfile"));

        Assert.Contains($"ASPNETCORE_URLS=http://+:{ports["http"]} ", image, StringComparison.Ordinal);
        Assert.Equal($"http://+:{ports["admin"]}", (string)Environment["Gateway__AdminUrls"]["value"]!);
        var services = _manifests.Where(m => (string)m["kind"]! == "Service").ToList();
        Assert.All(services.SelectMany(s => s["spec"]!["ports"]!.AsArray()), p => Assert.Contains((string)p!["targetPort"]!, ports.Keys));
        var headless = Assert.Single(services, s => (string?)s["spec"]!["clusterIP"] == "None");
        Assert.Equal((string)StatefulSet["serviceName"]!, (string)headless["metadata"]!["name"]!);
        Assert.All(
            services.Select(s => s["spec"]!["selector"]!).Append(StatefulSet["selector"]!["matchLabels"]!),
            selector => Assert.Equal(StatefulSet["template"]!["metadata"]!["labels"]!.ToJsonString(), selector.ToJsonString()));
        // Management is not on the public service.
        Assert.DoesNotContain(
            services.Where(s => s != headless).SelectMany(s => s["spec"]!["ports"]!.AsArray()), p => (string)p!["targetPort"]! == "admin");
    }

    [Fact]
    public void It_sets_what_can_be_set_and_takes_secrets_from_a_secret()
    {
        foreach (var (name, entry) in Environment)
        {
            Assert.True(
                name == "ConnectionStrings__Gateway" || GatewaySettings.Names.Contains(name["Gateway__".Length..]), $"{name} is no setting");
            var isSecret = name is "ConnectionStrings__Gateway" or "Gateway__EncryptionKey" or "Gateway__AdminKey";
            Assert.Equal((name, isSecret), (name, entry["valueFrom"]?["secretKeyRef"] is not null));
        }

        // Replicas with keys of their own could not read each other's secrets.
        Assert.Contains("Gateway__EncryptionKey", Environment.Keys);
        Assert.DoesNotContain("Gateway__InstanceName", Environment.Keys);
    }

    [Fact]
    public void It_is_given_the_time_to_end_and_a_volume_that_stays()
    {
        var drain = TimeSpan.Parse((string)Environment["Gateway__DrainTimeout"]["value"]!, CultureInfo.InvariantCulture);
        var grace = TimeSpan.FromSeconds((int)StatefulSet["template"]!["spec"]!["terminationGracePeriodSeconds"]!);

        // 5 s of serving on before the drain, and time for the journal behind it.
        Assert.True(grace >= drain + TimeSpan.FromSeconds(5 + 15), $"{grace} for a drain of {drain}");
        var mounts = Container["volumeMounts"]!.AsArray().ToDictionary(m => (string)m!["mountPath"]!, m => (string)m!["name"]!);
        var claim = Assert.Single(StatefulSet["volumeClaimTemplates"]!.AsArray())!;
        Assert.Equal((string)claim["metadata"]!["name"]!, mounts[(string)Environment["Gateway__DataDirectory"]["value"]!]);
    }

    [Fact]
    public void It_runs_as_the_images_user_without_any_privilege()
    {
        var pod = Pod["securityContext"]!;
        var container = Container["securityContext"]!;

        Assert.Contains("USER $APP_UID", File.ReadAllText(Repository.PathOf("deploy", "Dockerfile")), StringComparison.Ordinal);
        // APP_UID of the images of .NET; the volume belongs to it.
        Assert.Equal((true, 1654, 1654), ((bool)pod["runAsNonRoot"]!, (int)pod["runAsUser"]!, (int)pod["fsGroup"]!));
        Assert.Equal((false, true), ((bool)container["allowPrivilegeEscalation"]!, (bool)container["readOnlyRootFilesystem"]!));
        Assert.Equal("""["ALL"]""", container["capabilities"]!["drop"]!.ToJsonString());
    }

    private string PortNamed(string number) =>
        (string)Container["ports"]!.AsArray().Single(p => p!["containerPort"]!.ToString() == number)!["name"]!;

    /// <summary>Every document of the file, scalars as what they look like.</summary>
    private static List<JsonObject> Read()
    {
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var json = new SerializerBuilder().JsonCompatible().Build();
        return
        [
            .. File.ReadAllText(Repository.PathOf("deploy", "kubernetes", "gateway.yaml")).Split("\n---\n")
                .Select(document => JsonNode.Parse(json.Serialize(yaml.Deserialize(document)))!.AsObject()),
        ];
    }
}

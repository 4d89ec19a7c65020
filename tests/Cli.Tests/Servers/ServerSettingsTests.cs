using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Servers;

public sealed class ServerSettingsTests
{
    [Fact]
    public async Task PrintConfig_Standalone_TellsBothServersAndWhereValuesComeFrom()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("broker.conf"), "brokerName=from-file\nflushDiskType=ASYNC_FLUSH\n");

        CommandResult result = await TestCommand.RunAsync(
            "standalone", "--print-config", "-c", folder.PathOf("broker.conf"), "--broker-port", "12345", "--set", "flushDiskType=SYNC_FLUSH");

        string[] lines = result.ShouldSucceed().Lines;
        Assert.Equal(2, lines.Count(line => line.StartsWith("# ", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith("brokerName = from-file", StringComparison.Ordinal) && line.Contains("broker.conf:1"));
        Assert.Contains(lines, line => line.StartsWith("listenPort = 12345", StringComparison.Ordinal) && line.Contains("--broker-port"));
        Assert.Contains(lines, line => line.StartsWith("flushDiskType = SYNC_FLUSH", StringComparison.Ordinal) && line.Contains("--set"));
        Assert.Contains(lines, line => line.StartsWith("brokerIP1 = 127.0.0.1", StringComparison.Ordinal) && line.Contains("# standalone"));
        Assert.Contains(lines, line => line.StartsWith("httpPort = 8080", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("namesrv", 1)]
    [InlineData("broker", 1)]
    [InlineData("standalone", 2)]
    public async Task PrintConfig_Json_IsOneDocument(string server, int servers)
    {
        CommandResult result = await TestCommand.RunAsync(server, "--print-config", "--json");

        JsonNode document = result.ShouldSucceed().Json;
        JsonNode?[] all = servers == 1 ? [document] : [.. document["servers"]!.AsArray()];
        Assert.Equal(servers, all.Length);
        Assert.All(all, one => Assert.NotEmpty(one!["settings"]!.AsArray()));
    }

    [Fact]
    public async Task Set_PrefixedAndShared_GoWhereTheyBelong()
    {
        CommandResult result = await TestCommand.RunAsync(
            "standalone", "--print-config", "--json", "--set", "listenPort=1111", "--set", "namesrv.listenPort=2222", "--set", "tlsMode=disabled",
            "--set", "broker.bindAddress=127.0.0.2");

        JsonArray servers = result.ShouldSucceed().Json["servers"]!.AsArray();
        Assert.Equal("2222", Value(servers[0]!, "listenPort"));
        Assert.Equal("1111", Value(servers[1]!, "listenPort"));
        Assert.Equal(["disabled", "disabled"], servers.Select(server => Value(server!, "tlsMode")));
        Assert.Equal(["127.0.0.1", "127.0.0.2"], servers.Select(server => Value(server!, "bindAddress")));
    }

    [Fact]
    public async Task Standalone_Http_IsTheBrokersAlone()
    {
        CommandResult result = await TestCommand.RunAsync("standalone", "--print-config", "--json", "--set", "httpPort=1234");

        JsonArray servers = result.ShouldSucceed().Json["servers"]!.AsArray();
        Assert.Equal(["0", "1234"], servers.Select(server => Value(server!, "httpPort")));
        Assert.Equal("0", Value(servers[0]!, "drainMs"));
    }

    [Theory]
    [InlineData("httpPort=8080", "5000")]
    [InlineData("httpPort=0", "0")]
    public async Task NameServer_DrainMs_FollowsHttp(string http, string expected)
    {
        CommandResult result = await TestCommand.RunAsync("namesrv", "--print-config", "--json", "--set", http);

        Assert.Equal(expected, Value(result.ShouldSucceed().Json, "drainMs"));
    }

    [Fact]
    public async Task Standalone_Store_HoldsTheNameServersFilesToo()
    {
        CommandResult result = await TestCommand.RunAsync("standalone", "--print-config", "--json", "--store", "elsewhere");

        JsonArray servers = result.ShouldSucceed().Json["servers"]!.AsArray();
        Assert.Equal(Path.Combine("elsewhere", "namesrv", "kvConfig.json"), Value(servers[0]!, "kvConfigPath"));
        Assert.Equal("elsewhere", Value(servers[1]!, "storePathRootDir"));
    }

    [Theory]
    [InlineData("standalone")]
    [InlineData("broker")]
    [InlineData("namesrv")]
    public async Task Start_WrongSettings_NamesAllOfThemAndStartsNothing(string server)
    {
        CommandResult result = await TestCommand.RunAsync(server, "--set", "listenPor=1", "--set", "tlsMode=sometimes");

        result.ShouldFail(ExitCode.Usage, "listenPor=1");
        Assert.Contains("did you mean listenPort?", result.Error, StringComparison.Ordinal);
        Assert.Contains("tlsMode=sometimes", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
    }

    [Theory]
    [InlineData("bad name")]
    [InlineData("a;b")]
    [InlineData("")]
    public async Task Broker_NameThatHandlesCannotHold_IsRefused(string name)
    {
        CommandResult result = await TestCommand.RunAsync("broker", "--set", $"brokerName={name}");

        result.ShouldFail(ExitCode.Usage, $"--set: brokerName={name}: expected a name without spaces and semicolons");
    }

    [Fact]
    public async Task Start_StoreCannotBeMade_SaysWhich()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("file"), "");

        CommandResult result = await TestCommand.RunAsync(
            "standalone", "--store", folder.PathOf("file/store"), "--namesrv-port", "0", "--broker-port", $"{FreePorts.TakeForBroker()}", "--http-port", "0");

        result.ShouldFail(ExitCode.Failure, $"cannot make the directory {folder.PathOf("file/store")}");
    }

    [Theory]
    [InlineData("--broker-port", "x")]
    [InlineData("--namesrv-port", "70000")]
    [InlineData("--http-port", "-1")]
    public async Task Standalone_WrongPort_NamesTheOption(string option, string value)
    {
        CommandResult result = await TestCommand.RunAsync("standalone", $"{option}={value}");

        result.ShouldFail(ExitCode.Usage, option);
    }

    [Fact]
    public async Task Start_FileIsMissing_SaysSo()
    {
        CommandResult result = await TestCommand.RunAsync("broker", "-c", "nowhere.conf");

        result.ShouldFail(ExitCode.Usage, "nowhere.conf: cannot read: there is no such file");
    }

    private static string? Value(JsonNode server, string key) => server["settings"]!.AsArray()
        .Single(setting => (string?)setting!["key"] == key)!["value"]!.ToString();

    [Theory]
    [InlineData("aclEnable", "true", "not supported: clients are neither authenticated nor authorized here")]
    [InlineData("authenticationEnabled", "true", "not supported: clients are neither authenticated nor authorized here")]
    [InlineData("authorizationEnabled", "true", "not supported: clients are neither authenticated nor authorized here")]
    [InlineData("enableDLegerCommitLog", "true", "not supported: there are no replicas")]
    [InlineData("enableControllerMode", "true", "not supported: there are no replicas")]
    [InlineData("storeType", "defaultRocksDB", "not supported: queues are kept in files only")]
    [InlineData("storePathCommitLog", "/a/commitlog,/b/commitlog", "several paths are not supported")]
    [InlineData("deleteWhen", "04;24", "expected hours from 00 to 23")]
    [InlineData("deleteWhen", "", "expected hours from 00 to 23")]
    [InlineData("tls.server.certPath", "/nowhere/server.pem", "expected a file that exists")]
    [InlineData("tls.server.keyPath", "/nowhere/server.key", "expected a file that exists")]
    [InlineData("brokerIP1", "not a host", "expected an IP address or a host name")]
    public async Task Broker_SettingThatCannotBeKept_IsRefusedWithKeyAndPlace(string key, string value, string message)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("broker.conf"), $"brokerName=b\n{key}={value}\n");

        CommandResult result = await TestCommand.RunAsync("broker", "--print-config", "-c", folder.PathOf("broker.conf"));

        result.ShouldFail(ExitCode.Usage, $"broker.conf:2: {key}={value}: ");
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broker_SwitchesThatAskForNothing_AreTaken()
    {
        CommandResult result = await TestCommand.RunAsync(
            "broker", "--print-config", "--set", "aclEnable=false", "--set", "authenticationEnabled=false", "--set", "authorizationEnabled=false",
            "--set", "storeType=default", "--set", "brokerIP1=broker-a.example", "--set", "deleteWhen=04;16");

        result.ShouldSucceed();
    }

    [Theory]
    [InlineData("namesrv", "tls.server.certPath")]
    [InlineData("namesrv", "tlsServerCertPath")]
    [InlineData("namesrv", "tlsServerKeyPath")]
    [InlineData("broker", "tlsServerCertPath")]
    [InlineData("broker", "tlsServerKeyPath")]
    public async Task CertificateFile_IsMissing_IsRefusedUnderEitherSpelling(string server, string key)
    {
        CommandResult result = await TestCommand.RunAsync(server, "--print-config", "--set", key + "=/nowhere/server.pem");

        result.ShouldFail(ExitCode.Usage, $"{key}=/nowhere/server.pem: expected a file that exists");
    }
}

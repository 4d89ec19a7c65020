using System.Globalization;
using GrayMQ.Broker;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.NameServer;
using GrayMQ.Settings;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>deploy/systemd</summary>
public sealed class SystemdUnitTests
{
    private const string Verifier = "/usr/bin/systemd-analyze";

    [Fact]
    public async Task Units_InTheEyesOfSystemd_AreRight()
    {
        Assert.SkipUnless(File.Exists(Verifier), "there is no systemd-analyze here");
        using var folder = new TempFolder();
        var units = new List<string>();
        foreach (string unit in Directory.GetFiles(DeployFile.PathOf("systemd")))
        {
            string copy = folder.PathOf(Path.GetFileName(unit));
            string text = await File.ReadAllTextAsync(unit);
            await File.WriteAllTextAsync(
                copy, text.Replace("/usr/lib/graymq/graymq", Path.Combine(AppContext.BaseDirectory, "graymq"), StringComparison.Ordinal));
            units.Add(copy);
        }

        CommandResult verified = await OutsideCommand.RunAsync(Verifier, ["verify", .. units]);

        // It also tells of units of this machine; ours are named by their paths or names.
        Assert.DoesNotContain("graymq", verified.Error + verified.Output, StringComparison.Ordinal);
        Assert.Equal(4, units.Count);
    }

    [Fact]
    public async Task Sockets_AreThePortsOfTheSettings()
    {
        EffectiveSettings broker = BrokerSettings.Catalogue.Load(new SettingsSources()).GetOrThrow();
        EffectiveSettings nameServer = NameServerSettings.Catalogue().Load(new SettingsSources()).GetOrThrow();
        int port = broker.Get(BrokerSettings.ListenPort);

        Assert.Equal([$"0.0.0.0:{port}", $"0.0.0.0:{port - 2}", "0.0.0.0:8081", "127.0.0.1:8080"], await ListenStreamsAsync("graymq-broker.socket"));
        Assert.Equal([$"0.0.0.0:{nameServer.Get(NameServerSettings.ListenPort)}"], await ListenStreamsAsync("graymq-namesrv.socket"));
    }

    [Theory]
    [InlineData("graymq-broker.service")]
    [InlineData("graymq-namesrv.service")]
    public async Task Services_Commands_AreOnesThatWork(string unit)
    {
        string command = await ValueAsync(unit, "ExecStart");
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("server.conf"), "");
        string[] words = command.Split(' ');
        string[] arguments = [.. words.Skip(1).Select(word => word.EndsWith(".conf", StringComparison.Ordinal) ? folder.PathOf("server.conf") : word)];

        (await TestCommand.RunAsync([.. arguments, "--print-config"])).ShouldSucceed();
    }

    [Fact]
    public async Task BrokerService_TimeToStop_IsLongerThanADrain()
    {
        string time = await ValueAsync("graymq-broker.service", "TimeoutStopSec");
        Assert.EndsWith("min", time, StringComparison.Ordinal);
        PrintedSettings settings = await PrintedSettings.OfAsync(["broker"]);
        Assert.InRange(TimeSpan.FromMinutes(int.Parse(time[..^3], CultureInfo.InvariantCulture)), settings.LongestStop, TimeSpan.MaxValue);
    }

    [Fact]
    public async Task BrokerService_ExecStop_DrainsABrokerThatRuns()
    {
        using var folder = new TempFolder();
        await using RunningCommand server = await StandaloneServer.StartAsync(folder.PathOf("store"));
        string broker = StandaloneServer.ReadyLine().Match(server.Output.Text).Groups["broker"].Value;

        // Nobody is asked when it has ended by itself: in its place answers the socket, that is nobody, until it is started again.
        CommandResult ended = await RunStopAsync(FreePorts.ClosedAddress(), mainProcess: null);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));

        CommandResult drained = (await RunStopAsync(broker, mainProcess: "1")).ShouldSucceed();
        Assert.Contains("is drained", drained.Output, StringComparison.Ordinal);
    }

    // As systemd does, for which $$ stands for $, and which puts the main process into the environment.
    private static async Task<CommandResult> RunStopAsync(string broker, string? mainProcess)
    {
        string command = await ValueAsync("graymq-broker.service", "ExecStop");
        const string Shell = "-/bin/sh -c '";
        Assert.StartsWith(Shell, command, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:10911", command, StringComparison.Ordinal);
        string line = command[Shell.Length..^1].Replace("$$", "$", StringComparison.Ordinal)
            .Replace("/usr/lib/graymq", AppContext.BaseDirectory, StringComparison.Ordinal)
            .Replace("127.0.0.1:10911", broker, StringComparison.Ordinal);
        return await OutsideCommand.RunAsync("/bin/sh", ["-c", line], new Dictionary<string, string?> { ["MAINPID"] = mainProcess });
    }

    private static async Task<string> ValueAsync(string unit, string key)
    {
        string text = await DeployFile.ReadAsync(Path.Combine("systemd", unit));
        return Assert.Single(text.Split('\n'), line => line.StartsWith(key + '=', StringComparison.Ordinal))[(key.Length + 1)..];
    }

    private static async Task<string[]> ListenStreamsAsync(string unit)
    {
        const string Key = "ListenStream=";
        string text = await DeployFile.ReadAsync(Path.Combine("systemd", unit));
        return [.. text.Split('\n').Where(line => line.StartsWith(Key, StringComparison.Ordinal)).Select(line => line[Key.Length..])];
    }
}

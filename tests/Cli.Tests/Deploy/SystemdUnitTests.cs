using System.Diagnostics;
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

        var start = new ProcessStartInfo(Verifier, ["verify", .. units]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process verify = Process.Start(start)!;
        Task<string> output = verify.StandardOutput.ReadToEndAsync();
        string errors = await verify.StandardError.ReadToEndAsync();
        await verify.WaitForExitAsync();

        // It also tells of units of this machine; ours are named by their paths or names.
        Assert.DoesNotContain("graymq", errors + await output, StringComparison.Ordinal);
        Assert.Equal(4, units.Count);
    }

    [Fact]
    public async Task Sockets_AreThePortsOfTheSettings()
    {
        EffectiveSettings broker = BrokerSettings.Catalogue.Load(new SettingsSources()).GetOrThrow();
        EffectiveSettings nameServer = NameServerSettings.Catalogue().Load(new SettingsSources()).GetOrThrow();
        int port = broker.Get(BrokerSettings.ListenPort);

        Assert.Equal([$"0.0.0.0:{port}", $"0.0.0.0:{port - 2}", "127.0.0.1:8080"], await ListenStreamsAsync("graymq-broker.socket"));
        Assert.Equal([$"0.0.0.0:{nameServer.Get(NameServerSettings.ListenPort)}"], await ListenStreamsAsync("graymq-namesrv.socket"));
    }

    [Theory]
    [InlineData("graymq-broker.service")]
    [InlineData("graymq-namesrv.service")]
    public async Task Services_Commands_AreOnesThatWork(string unit)
    {
        string text = await DeployFile.ReadAsync(Path.Combine("systemd", unit));
        string command = Assert.Single(text.Split('\n'), line => line.StartsWith("ExecStart=", StringComparison.Ordinal));
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("server.conf"), "");
        string[] words = command.Split(' ');
        string[] arguments = [.. words.Skip(1).Select(word => word.EndsWith(".conf", StringComparison.Ordinal) ? folder.PathOf("server.conf") : word)];

        (await TestCommand.RunAsync([.. arguments, "--print-config"])).ShouldSucceed();
    }

    private static async Task<string[]> ListenStreamsAsync(string unit)
    {
        const string Key = "ListenStream=";
        string text = await DeployFile.ReadAsync(Path.Combine("systemd", unit));
        return [.. text.Split('\n').Where(line => line.StartsWith(Key, StringComparison.Ordinal)).Select(line => line[Key.Length..])];
    }
}

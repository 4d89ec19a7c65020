using System.Text.RegularExpressions;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>A standalone server in this process, in a folder of its own.</summary>
public sealed partial class StandaloneServer : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private RunningCommand? _command;

    public string NameServer { get; private set; } = "";

    public string Broker { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        string line = "";
        _command = await StartAsync(_folder.PathOf("store"), found => line = found);
        Match match = ReadyLine().Match(line);
        NameServer = match.Groups["namesrv"].Value;
        Broker = match.Groups["broker"].Value;

        // A registration that is not answered in time is made again a moment after the broker serves.
        await Eventually.TrueAsync(async () => (await RunAsync("topic", "list")).ExitCode == ExitCode.Success, "the broker is registered");
    }

    public async ValueTask DisposeAsync()
    {
        if (_command is not null)
        {
            await _command.DisposeAsync();
        }

        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts one; another test may take the port between finding and using it, so that it is tried again then.</summary>
    internal static async Task<RunningCommand> StartAsync(string store, Action<string>? ready = null, params string[] more)
    {
        for (int attempt = 1; ; attempt++)
        {
            string[] arguments =
            [
                "standalone", "--store", store, "--namesrv-port", "0", "--broker-port", $"{FreePorts.TakeForBroker()}", "--set", "mappedFileSizeCommitLog=1048576", "--set", "maxHashSlotNum=1000", "--set", "maxIndexNum=4000",
                .. more.Contains("--http-port") ? more : ["--http-port", "0", .. more],
            ];
            var command = new RunningCommand(arguments);
            try
            {
                string line = await command.WaitForAsync("data in");
                ready?.Invoke(line);
                return command;
            }
            catch (Exception) when (attempt < 5 && command.Error.Text.Contains("in use", StringComparison.Ordinal))
            {
                await command.DisposeAsync();
            }
        }
    }

    /// <summary>Runs a command against this server.</summary>
    internal Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync([.. arguments, "-n", NameServer]);

    [GeneratedRegex("^GrayMQ is ready: name server (?<namesrv>[0-9.:]+), broker (?<broker>[0-9.:]+)(, HTTP [^,]+)?, data in .*\n$")]
    internal static partial Regex ReadyLine();
}

using System.Diagnostics;

namespace GrayMQ.Chaos.Gray;

/// <summary>A <see cref="SoakClient"/> seen from outside.</summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<bool, string, string> _consumed;

    /// <param name="consumed">Called for each message that it is given: whether it accepts it, its id, and where it was.</param>
    public ClientProcess(
        ClientKind kind, string nameServers, string group, string instance, Shape shape, bool gray, Action<bool, string, string> consumed)
    {
        _consumed = consumed;
        Instance = instance;
        string[] arguments =
        [
            typeof(ClientProcess).Assembly.Location, "gray-client", "--kind", $"{kind}", "--namesrv", nameServers, "--group", group,
            "--instance", instance, "--shape", shape.Name, "--gray", gray ? "true" : "false",
        ];
        _process = Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("a client does not start");
        _process.OutputDataReceived += Take;
        _process.BeginOutputReadLine();
    }

    public string Instance { get; }

    /// <summary>Waits until it consumes.</summary>
    public Task UntilReadyAsync() => _ready.Task.WaitAsync(StartLimit);

    public void Tell(string command)
    {
        try
        {
            _process.StandardInput.WriteLine(command);
            _process.StandardInput.Flush();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // Killed, and perhaps put away already.
        }
    }

    /// <summary>Has it end as a service that is shut down does.</summary>
    public async Task StopAsync()
    {
        Tell("stop");
        await _process.WaitForExitAsync().WaitAsync(StopLimit);
        await DisposeAsync();
    }

    /// <summary>Kills it, if it runs, and takes all that it said.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data == SoakClient.Ready)
        {
            _ready.TrySetResult();
        }
        else if (line.Data?.Split(' ', 2) is [var id, var place])
        {
            bool failed = id.StartsWith(SoakClient.Failed, StringComparison.Ordinal);
            _consumed(!failed, failed ? id[SoakClient.Failed.Length..] : id, place);
        }
        else if (line.Data is null)
        {
            _ready.TrySetException(new InvalidOperationException("a client has ended before it consumed"));
        }
    }
}

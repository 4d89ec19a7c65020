using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Testing;

/// <summary>A standalone server as a process of its own, on loopback ports of its own, that can be killed and started again.</summary>
/// <param name="command">The graymq command.</param>
/// <param name="storeDirectory">Where it stores everything.</param>
/// <param name="startLimit">It has to serve within this time.</param>
/// <param name="settings">Settings as <c>key=value</c>.</param>
internal sealed class ServerUnderTest(
    string command, string storeDirectory, TimeSpan startLimit, params IReadOnlyList<string> settings) : IAsyncDisposable
{
    private const int PollMs = 10;

    private readonly int _nameServerPort = FreePorts.Take();
    private readonly int _brokerPort = FreePorts.TakeForBroker();
    private Process? _process;

    public string BrokerAddress => $"127.0.0.1:{_brokerPort}";

    /// <summary>What the server wrote to its log since it was started last.</summary>
    public string Log { get; private set; } = "";

    /// <summary>Starts the server; returns how long it took to serve.</summary>
    public async Task<TimeSpan> StartAsync(CancellationToken cancel)
    {
        long started = Stopwatch.GetTimestamp();
        var start = new ProcessStartInfo(
            command,
            [
                "standalone", "--store", storeDirectory, "--namesrv-port", $"{_nameServerPort}", "--broker-port", $"{_brokerPort}",
                "--http-port", "0", .. settings.SelectMany(setting => (string[])["--set", setting]),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Log = "";
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{command} does not start");
        _process.OutputDataReceived += (_, line) => Log += line.Data + "\n";
        _process.ErrorDataReceived += (_, line) => Log += line.Data + "\n";
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        while (!await AcceptsAsync(cancel))
        {
            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(cancel);
                throw new InvalidOperationException($"the server ended with {_process.ExitCode}:\n{Log}");
            }

            if (Stopwatch.GetElapsedTime(started) > startLimit)
            {
                throw new TimeoutException($"the server does not serve after {startLimit}:\n{Log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(PollMs), cancel);
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Ends the server as a signal to terminate does, and waits until it has.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (_process is { } process)
        {
            using var signal = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await process.WaitForExitAsync(cancel);
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private async Task<bool> AcceptsAsync(CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _brokerPort), cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Clusters;

/// <summary>A graymq command as a process of its own, which ends with this object at the latest.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const int KeptLines = 200;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TextWriter? _file;

    /// <param name="command">The graymq command.</param>
    /// <param name="log">The file that what it writes is appended to; null for none.</param>
    /// <param name="sockets">Sockets that the process is given as systemd gives them; none lets it open its own.</param>
    public ServerProcess(string command, IReadOnlyList<string> arguments, string? log = null, params IReadOnlyList<InheritedSocket> sockets)
    {
        ProcessStartInfo start = sockets.Count == 0
            ? new ProcessStartInfo(command, arguments)
            : new ProcessStartInfo("bash", ["-c", InheritedSocket.StartScript(sockets), command, .. arguments]);
        if (log is not null)
        {
            _file = TextWriter.Synchronized(new StreamWriter(log, append: true) { AutoFlush = true });
        }

        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{command} does not start");
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Id => _process.Id.ToString(CultureInfo.InvariantCulture);

    public bool HasExited => _process.HasExited;

    /// <summary>The last that it wrote.</summary>
    public string Log => string.Join('\n', _lines);

    /// <summary>Sends a signal: TERM, INT, KILL.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-s", name, Id]);
        kill.WaitForExit();
    }

    /// <summary>Waits until it has ended in good order.</summary>
    /// <exception cref="InvalidOperationException">It ended with an error.</exception>
    public async Task WaitForExitAsync(CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel);
        if (_process.ExitCode != 0)
        {
            throw new InvalidOperationException($"the server ended with {_process.ExitCode}:\n{Log}");
        }
    }

    /// <summary>Waits for a condition while it runs.</summary>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    /// <exception cref="TimeoutException">The condition does not come.</exception>
    public async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan limit, CancellationToken cancel)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (HasExited)
            {
                throw new InvalidOperationException($"the server has ended, before: {what}\n{Log}");
            }

            if (Stopwatch.GetElapsedTime(begun) > limit)
            {
                throw new TimeoutException($"not within {limit}: {what}\n{Log}");
            }

            await Task.Delay(LookInterval, cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _file?.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _file?.WriteLine(line.Data);
            _lines.Enqueue(line.Data);
            if (_lines.Count > KeptLines)
            {
                _lines.TryDequeue(out _);
            }
        }
    }
}

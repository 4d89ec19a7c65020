using System.Diagnostics;
using System.Globalization;
using GrayMQ.Testing;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>The command as a process of its own.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    // A shell that runs the tests in the background has them, and so the command, ignore these two.
    private const string HearsSignals = "--default-signal=INT,QUIT";

    private readonly Process _process;
    private readonly Task _reading;

    public ChildProcess(params string[] arguments)
        : this(new ProcessStartInfo("env", [HearsSignals, Command, .. arguments]))
    {
    }

    private ChildProcess(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        start.Environment.Remove("NAMESRV_ADDR");
        _process = Process.Start(start) ?? throw new InvalidOperationException("graymq does not start");
        _process.StandardInput.Close();
        _reading = Task.WhenAll(CopyAsync(_process.StandardOutput, Output), CopyAsync(_process.StandardError, Error));
    }

    private static string Command => Path.Combine(AppContext.BaseDirectory, "graymq");

    public string Id => _process.Id.ToString(CultureInfo.InvariantCulture);

    public WatchedWriter Output { get; } = new();

    public WatchedWriter Error { get; } = new();

    /// <summary>The command with sockets that were opened for it, as systemd starts it.</summary>
    public static ChildProcess WithSockets(IReadOnlyList<InheritedSocket> sockets, string names, string[] arguments) =>
        new(new ProcessStartInfo("env", [HearsSignals, "bash", "-c", InheritedSocket.StartScript(sockets, names), Command, .. arguments]));

    /// <summary>All that it has written once <paramref name="part"/> is in it; fails with what it wrote to both when it ends before.</summary>
    public Task<string> WaitForAsync(string part) => Output.WaitForAsync(part, EndAsync(part));

    /// <summary>Sends a signal: TERM, INT.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", ["-s", name, Id]);
        kill.WaitForExit();
    }

    /// <summary>Its exit code, when it has ended and all that it wrote has been read.</summary>
    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TestCommand.Timeout);
        await _reading.WaitAsync(TestCommand.Timeout);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await WaitForExitAsync();
        _process.Dispose();
        await Output.DisposeAsync();
        await Error.DisposeAsync();
    }

    private async Task EndAsync(string part)
    {
        await _process.WaitForExitAsync();
        await _reading;
        Assert.True(Output.Text.Contains(part, StringComparison.Ordinal), $"ended with {_process.ExitCode} before '{part}':\n{Output.Text}\n{Error.Text}");
    }

    private static async Task CopyAsync(StreamReader reader, WatchedWriter writer)
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
        {
            writer.Write(new string(buffer, 0, count));
        }
    }
}

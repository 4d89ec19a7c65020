using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Testing;

/// <summary>HAProxy as a process of its own, in the foreground.</summary>
internal sealed class HAProxy : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly string _folder;
    private readonly Process _process;
    private string _log = "";

    private HAProxy(string folder, Process process)
    {
        _folder = folder;
        _process = process;
    }

    /// <summary>Debian's package puts it where only root's search path leads.</summary>
    private static string Command => File.Exists("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : "haproxy";

    /// <summary>Starts it, and waits until it takes connections.</summary>
    /// <param name="configuration">The content of haproxy.cfg.</param>
    /// <param name="ports">Ports of 127.0.0.1 that it listens on.</param>
    public static async Task<HAProxy> StartAsync(string configuration, params IReadOnlyList<int> ports)
    {
        string folder = Directory.CreateTempSubdirectory("graymq-haproxy-").FullName;
        string file = Path.Combine(folder, "haproxy.cfg");
        await File.WriteAllTextAsync(file, configuration);
        var start = new ProcessStartInfo(Command, ["-db", "-f", file]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(start) ?? throw new InvalidOperationException("haproxy does not start");
        var proxy = new HAProxy(folder, process);
        process.OutputDataReceived += (_, line) => proxy._log += line.Data + "\n";
        process.ErrorDataReceived += (_, line) => proxy._log += line.Data + "\n";
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        long started = Stopwatch.GetTimestamp();
        foreach (int port in ports)
        {
            while (!await AcceptsAsync(port))
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(started) > StartLimit)
                {
                    await proxy.DisposeAsync();
                    throw new InvalidOperationException($"haproxy does not serve port {port}:\n{proxy._log}");
                }

                await Task.Delay(PollInterval);
            }
        }

        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

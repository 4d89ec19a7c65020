using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Testing;

/// <summary>HAProxy or nginx as a process of its own, in the foreground.</summary>
internal sealed class LoadBalancer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly string _folder;
    private readonly Process _process;
    private string _log = "";

    private LoadBalancer(string folder, Process process)
    {
        _folder = folder;
        _process = process;
        process.OutputDataReceived += (_, line) => _log += line.Data + "\n";
        process.ErrorDataReceived += (_, line) => _log += line.Data + "\n";
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts HAProxy, and waits until it takes connections.</summary>
    /// <param name="configuration">The content of haproxy.cfg.</param>
    /// <param name="listening">Where it listens.</param>
    public static Task<LoadBalancer> HAProxyAsync(string configuration, params IReadOnlyList<IPEndPoint> listening) =>
        StartAsync("haproxy", (file, _) => ["-db", "-f", file], configuration, listening);

    /// <summary>Starts nginx, and waits until it takes connections.</summary>
    /// <inheritdoc cref="HAProxyAsync"/>
    /// <param name="configuration">The content of nginx.conf.</param>
    public static Task<LoadBalancer> NginxAsync(string configuration, params IReadOnlyList<IPEndPoint> listening) =>
        StartAsync(
            "nginx",
            (file, folder) => ["-c", file, "-e", "stderr", "-g", $"daemon off; master_process off; pid {folder}/nginx.pid;"],
            configuration,
            listening);

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

    private static async Task<LoadBalancer> StartAsync(
        string command, Func<string, string, string[]> arguments, string configuration, IReadOnlyList<IPEndPoint> listening)
    {
        string folder = Directory.CreateTempSubdirectory("graymq-balancer-").FullName;
        string file = Path.Combine(folder, "balancer.conf");
        await File.WriteAllTextAsync(file, configuration);

        // Debian's packages put them where only root's search path leads.
        string path = $"/usr/sbin/{command}";
        var start = new ProcessStartInfo(File.Exists(path) ? path : command, arguments(file, folder))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{command} does not start");
        var balancer = new LoadBalancer(folder, process);
        long started = Stopwatch.GetTimestamp();
        foreach (IPEndPoint endPoint in listening)
        {
            while (!await AcceptsAsync(endPoint))
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(started) > StartLimit)
                {
                    string log = balancer._log;
                    await balancer.DisposeAsync();
                    throw new InvalidOperationException($"{command} does not serve {endPoint}:\n{log}");
                }

                await Task.Delay(PollInterval);
            }
        }

        return balancer;
    }

    private static async Task<bool> AcceptsAsync(IPEndPoint endPoint)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

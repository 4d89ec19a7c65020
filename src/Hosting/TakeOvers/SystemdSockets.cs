using System.Globalization;
using System.Net.Sockets;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>Sockets that systemd opened for this process (socket activation). Source: sd_listen_fds(3).</summary>
public static class SystemdSockets
{
    private const int FirstDescriptor = 3;

    private static readonly string[] Variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

    /// <summary>Takes them; none when there are none, or when they are meant for another process.</summary>
    /// <exception cref="IOException">One of them does not listen on a TCP port; the message names it.</exception>
    public static IReadOnlyList<Socket> Take()
    {
        string?[] values = [.. Variables.Select(Environment.GetEnvironmentVariable)];
        if (!int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
            || processId != Environment.ProcessId
            || !int.TryParse(values[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            || count is < 1 or > PassedSockets.Max)
        {
            return [];
        }

        // They are not for processes that this one starts.
        Array.ForEach(Variables, variable => Environment.SetEnvironmentVariable(variable, null));
        string[] names = (values[2] ?? "").Split(':');
        return [.. Enumerable.Range(0, count).Select(i => Adopt(FirstDescriptor + i, names.ElementAtOrDefault(i) ?? ""))];
    }

    private static Socket Adopt(int descriptor, string name)
    {
        try
        {
            return PassedSockets.Adopt(descriptor);
        }
        catch (IOException e)
        {
            throw new IOException($"of the sockets that systemd handed over, '{name}' is of no use: {e.Message}", e);
        }
    }
}

using System.Net.Sockets;
using System.Text;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>Tells systemd how far the process has come, where it asks for that (Type=notify). Source: sd_notify(3).</summary>
internal static class SystemdNotice
{
    /// <summary>The process serves, and is the service's main process: its predecessor may have been that.</summary>
    public static void Ready() => Send($"READY=1\nMAINPID={Environment.ProcessId}");

    public static void Stopping() => Send("STOPPING=1");

    private static void Send(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

            // systemd writes an abstract address, which begins with a zero byte, with an @.
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // Nobody listens: systemd then waits for its own time limit, and says so.
        }
    }
}

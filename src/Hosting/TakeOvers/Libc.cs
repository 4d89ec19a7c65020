using System.Runtime.InteropServices;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>What the framework has no call for: sockets that are sent from process to process. Layouts are those of 64-bit Linux.</summary>
internal static unsafe partial class Libc
{
    public const int SocketLevel = 1;
    public const int AcceptsConnections = 30;
    public const int PeerCredentials = 17;
    public const int Rights = 1;
    public const int NoSignal = 0x4000;
    public const int SetDescriptorFlags = 2;
    public const int Interrupted = 4;

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint Send(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint Receive(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeHandle descriptor, int command, int value);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    /// <summary>struct msghdr</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameBytes;
        public IoVector* Parts;
        public nuint PartCount;
        public void* Control;
        public nuint ControlBytes;
        public int Flags;
    }

    /// <summary>struct iovec</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public void* Start;
        public nuint Bytes;
    }

    /// <summary>struct cmsghdr; what it announces follows at once.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ControlHeader
    {
        public nuint Bytes;
        public int Level;
        public int Type;
    }
}

using System.Buffers;
using System.Net;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Proxies;

namespace GrayMQ.Fuzz.Targets;

/// <summary>What a connection begins with: the same client comes out however the bytes arrive, and nothing is taken in part.</summary>
internal sealed class ProxyHeaderTarget : FuzzTarget
{
    private const string Incomplete = "incomplete";
    private const int MaxBeginnings = 256;

    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    public override string Name => "proxy-header";

    public override IReadOnlyList<byte[]> Tokens =>
    [
        Signature, "PROXY "u8.ToArray(), "TCP4 "u8.ToArray(), "TCP6 "u8.ToArray(), "UNKNOWN"u8.ToArray(), "\r\n"u8.ToArray(),
        "192.0.2.1 "u8.ToArray(), "::ffff:1.2.3.4 "u8.ToArray(), "65535"u8.ToArray(),
    ];

    /// <summary>Every beginning of the input is read by itself.</summary>
    public override long MaxAllocatedBytes(int inputBytes) => base.MaxAllocatedBytes(inputBytes) + (4 * 1024L * Math.Min(inputBytes, MaxBeginnings));

    public override IEnumerable<byte[]> Seeds() =>
    [
        [.. "PROXY TCP4 192.0.2.1 192.0.2.200 56324 10911\r\n"u8, 0, 0, 0, 1],
        "PROXY TCP6 2001:db8::1 2001:db8::2 56324 10911\r\n"u8.ToArray(),
        "PROXY UNKNOWN\r\n"u8.ToArray(),
        [.. Signature, 0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 200, 220, 4, 42, 159],
        [.. Signature, 0x21, 0x11, 0, 18, 192, 0, 2, 1, 192, 0, 2, 200, 220, 4, 42, 159, 4, 0, 3, 1, 2, 3, 9, 9],
        [.. Signature, 0x21, 0x21, 0, 36, .. new byte[36]],
        [.. Signature, 0x21, 0x31, 0, 216, .. new byte[216]],
        [.. Signature, 0x20, 0x00, 0, 0],
    ];

    public override bool Run(byte[] input)
    {
        string whole = Read(new ReadOnlySequence<byte>(input), out long rest);
        string split = Read(Sequences.Split(input), out long splitRest);
        FindingException.Unless(whole == split && rest == splitRest, $"in one segment: {whole}; in several: {split}");

        // However little of it has come, what is decided stays decided.
        for (int length = 0; length < Math.Min(input.Length, MaxBeginnings); length++)
        {
            string part = Read(new ReadOnlySequence<byte>(input, 0, length), out _);
            FindingException.Unless(
                part == Incomplete || part == whole, $"{length} bytes: {part}; {input.Length} bytes: {whole}");
        }

        return whole is not ("none" or Incomplete);
    }

    private static string Read(ReadOnlySequence<byte> buffer, out long rest)
    {
        rest = buffer.Length;
        ProxyHeaderSign sign = ProxyHeaderReader.Look(buffer);
        if (sign is ProxyHeaderSign.None or ProxyHeaderSign.Undecided)
        {
            return sign == ProxyHeaderSign.None ? "none" : Incomplete;
        }

        try
        {
            long before = buffer.Length;
            if (!ProxyHeaderReader.TryRead(sign, ref buffer, out IPEndPoint? client))
            {
                FindingException.Unless(buffer.Length == before && client is null, "a header that is not there was taken in part");
                FindingException.Unless(before < ProxyHeaderReader.MaxBytes, "more is waited for than a header may have");
                return Incomplete;
            }

            rest = buffer.Length;
            FindingException.Unless(before - rest is > 0 and <= ProxyHeaderReader.MaxBytes, "a header has more bytes than it may have");
            return client?.ToString() ?? "open";
        }
        catch (ProtocolException e)
        {
            return e.Message;
        }
    }
}

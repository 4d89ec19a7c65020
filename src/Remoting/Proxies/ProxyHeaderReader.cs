using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Proxies;

/// <summary>
/// Reads the header with which a proxy says for whom it connects. Source: "The PROXY protocol, versions 1 &amp; 2" (HAProxy).
/// </summary>
/// <remarks>
/// <code>
/// version 1   PROXY TCP4|TCP6 {client} {server} {client port} {server port}\r\n      at most 107 bytes
///             PROXY UNKNOWN …\r\n
///
/// version 2    0                       12        13         14        16
///             +-----------------------+---------+----------+---------+----------------------------------------------+
///             | 0D 0A 0D 0A 00 0D 0A  | version | family   | length  | client, server, client port, server port     |
///             | 51 55 49 54 0A        | command | transport| of rest | (4+4+2+2 or 16+16+2+2 bytes), then more      |
///             +-----------------------+---------+----------+---------+----------------------------------------------+
/// </code>
/// What follows the addresses (TLV fields) is passed over. No frame begins like either version: its length would be above
/// 200 MB, and its header longer than itself.
/// </remarks>
public static class ProxyHeaderReader
{
    /// <summary>The longest header of version 2 that is read; proxies add fields of a few hundred bytes at most.</summary>
    public const int MaxBytes = 4096;

    /// <summary>The longest header of version 1 that there can be, its line end included.</summary>
    public const int MaxLineBytes = 107;

    private const int PrefixBytes = 16;
    private const int Version = 2;
    private const int PortBytes = 2;

    private const int LocalCommand = 0;
    private const int ProxyCommand = 1;

    // Address family in the upper, transport in the lower half of the byte.
    private const byte Unspecified = 0x00;
    private const byte TcpOverIPv4 = 0x11;
    private const byte TcpOverIPv6 = 0x21;
    private const byte UnixStream = 0x31;

    private static ReadOnlySpan<byte> LineSignature => "PROXY "u8;

    private static ReadOnlySpan<byte> BinarySignature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    /// <summary>Tells from a connection's first bytes whether it begins with a header.</summary>
    public static ProxyHeaderSign Look(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> start = stackalloc byte[BinarySignature.Length];
        start = start[..(int)Math.Min(buffer.Length, start.Length)];
        buffer.Slice(0, start.Length).CopyTo(start);
        if (start.StartsWith(LineSignature))
        {
            return ProxyHeaderSign.Version1;
        }

        if (start.SequenceEqual(BinarySignature))
        {
            return ProxyHeaderSign.Version2;
        }

        return LineSignature.StartsWith(start) || BinarySignature.StartsWith(start) ? ProxyHeaderSign.Undecided : ProxyHeaderSign.None;
    }

    /// <summary>Reads a header that <see cref="Look"/> has found, and moves the buffer behind it.</summary>
    /// <param name="client">Where the connection comes from; null when the header leaves that open, or speaks of the proxy itself.</param>
    /// <returns>False while a part of the header is missing.</returns>
    /// <exception cref="ProtocolException">This is no header, or one that nobody may send.</exception>
    public static bool TryRead(ProxyHeaderSign sign, ref ReadOnlySequence<byte> buffer, out IPEndPoint? client) =>
        sign == ProxyHeaderSign.Version1 ? TryReadLine(ref buffer, out client) : TryReadBinary(ref buffer, out client);

    private static bool TryReadLine(ref ReadOnlySequence<byte> buffer, out IPEndPoint? client)
    {
        Span<byte> start = stackalloc byte[MaxLineBytes];
        start = start[..(int)Math.Min(buffer.Length, MaxLineBytes)];
        buffer.Slice(0, start.Length).CopyTo(start);
        int end = start.IndexOf("\r\n"u8);
        client = null;
        if (end < 0)
        {
            return start.Length == MaxLineBytes
                ? throw new ProtocolException($"its PROXY header does not end within {MaxLineBytes} bytes")
                : false;
        }

        client = ParseLine(Encoding.ASCII.GetString(start[LineSignature.Length..end]));
        buffer = buffer.Slice(end + 2);
        return true;
    }

    private static IPEndPoint? ParseLine(string line)
    {
        string[] words = line.Split(' ');
        if (words[0] == "UNKNOWN")
        {
            return null;
        }

        AddressFamily family = words[0] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => throw new ProtocolException("its PROXY header names no TCP4, TCP6 or UNKNOWN"),
        };
        if (words.Length != 5)
        {
            throw new ProtocolException("its PROXY header has not two addresses and two ports");
        }

        var client = new IPEndPoint(Plain(ParseAddress(words[1], family)), ParsePort(words[3]));
        ParseAddress(words[2], family);
        ParsePort(words[4]);
        return client;
    }

    // Nothing but what the family's addresses are made of: no zones, no hexadecimal or short IPv4.
    private static IPAddress ParseAddress(string text, AddressFamily family) =>
        text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.')
        && IPAddress.TryParse(text, out IPAddress? address)
        && address.AddressFamily == family
        && (family == AddressFamily.InterNetworkV6 || address.ToString() == text)
            ? address
            : throw new ProtocolException("its PROXY header has an address that is none");

    private static int ParsePort(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && (text.Length == 1 || text[0] != '0')
            ? port
            : throw new ProtocolException("its PROXY header has a port that is none");

    private static bool TryReadBinary(ref ReadOnlySequence<byte> buffer, out IPEndPoint? client)
    {
        client = null;
        if (buffer.Length < PrefixBytes)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        int version = prefix[12] >> 4;
        int command = prefix[12] & 0x0F;
        byte family = prefix[13];
        int length = BinaryPrimitives.ReadUInt16BigEndian(prefix[14..]);
        if (version != Version || command is not (LocalCommand or ProxyCommand))
        {
            throw new ProtocolException($"its PROXY header has version {version} and command {command}");
        }

        if (PrefixBytes + length > MaxBytes)
        {
            throw new ProtocolException($"its PROXY header has {PrefixBytes + length} bytes, {MaxBytes} are the limit");
        }

        // A proxy that asks for itself, to see whether somebody is there, may put anything where the family is.
        int addressBytes = command == LocalCommand ? 0 : AddressBytes(family);
        if (length < 2 * (addressBytes + (addressBytes > 0 ? PortBytes : 0)))
        {
            throw new ProtocolException("its PROXY header is too short for its addresses");
        }

        if (buffer.Length < PrefixBytes + length)
        {
            return false;
        }

        if (addressBytes > 0)
        {
            client = ReadClient(buffer.Slice(PrefixBytes), addressBytes);
        }

        buffer = buffer.Slice(PrefixBytes + length);
        return true;
    }

    // Zero where the header says nothing that is of use here.
    private static int AddressBytes(byte family) => family switch
    {
        TcpOverIPv4 => 4,
        TcpOverIPv6 => 16,
        Unspecified or UnixStream => 0,
        _ => throw new ProtocolException($"its PROXY header is of the family and transport 0x{family:X2}, which is no stream"),
    };

    private static IPEndPoint ReadClient(ReadOnlySequence<byte> block, int addressBytes)
    {
        Span<byte> bytes = stackalloc byte[(2 * 16) + PortBytes];
        bytes = bytes[..((2 * addressBytes) + PortBytes)];
        block.Slice(0, bytes.Length).CopyTo(bytes);
        return new IPEndPoint(
            Plain(new IPAddress(bytes[..addressBytes])), BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * addressBytes)..]));
    }

    // Rules and lists know an IPv4 client by one address only.
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}

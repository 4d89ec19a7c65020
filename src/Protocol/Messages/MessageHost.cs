using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// A host field of a stored message: IPv4 or IPv6 address and port, without allocation.
/// <code>
/// IPv4:  4 address | 4 port      IPv6:  16 address | 4 port      (big-endian)
/// </code>
/// </summary>
public readonly struct MessageHost : IEquatable<MessageHost>
{
    public const int V4Bytes = 8;
    public const int V6Bytes = 20;

    // The address as the bytes stand on the wire; IPv4 uses the upper half of _high only.
    private readonly ulong _high;
    private readonly ulong _low;

    private MessageHost(ulong high, ulong low, int port, bool isV6)
    {
        _high = high;
        _low = low;
        Port = port;
        IsV6 = isV6;
    }

    public int Port { get; }

    public bool IsV6 { get; }

    /// <summary>Bytes of this host in a record: 8 or 20.</summary>
    public int EncodedBytes => IsV6 ? V6Bytes : V4Bytes;

    /// <summary>Takes an end point; IPv4-mapped IPv6 (dual-stack sockets) becomes IPv4, as RocketMQ stores it.</summary>
    public static MessageHost From(IPEndPoint endPoint) => From(endPoint.Address, endPoint.Port);

    public static MessageHost From(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out int written))
        {
            throw new ArgumentException("An address of 4 or 16 bytes is expected.", nameof(address));
        }

        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            if (!address.IsIPv4MappedToIPv6)
            {
                return new MessageHost(
                    BinaryPrimitives.ReadUInt64BigEndian(bytes),
                    BinaryPrimitives.ReadUInt64BigEndian(bytes[8..written]),
                    port,
                    isV6: true);
            }

            bytes = bytes[12..];
        }

        return FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes), port);
    }

    /// <summary>An IPv4 host from its address as a big-endian number (127.0.0.1 = 0x7F000001).</summary>
    public static MessageHost FromV4(uint address, int port) => new((ulong)address << 32, 0, port, isV6: false);

    /// <summary>Reads 8 or 20 bytes; <paramref name="source"/> has to be that long.</summary>
    public static MessageHost Read(ReadOnlySpan<byte> source, bool isV6) => isV6
        ? new MessageHost(
            BinaryPrimitives.ReadUInt64BigEndian(source),
            BinaryPrimitives.ReadUInt64BigEndian(source[8..]),
            BinaryPrimitives.ReadInt32BigEndian(source[16..]),
            isV6: true)
        : FromV4(BinaryPrimitives.ReadUInt32BigEndian(source), BinaryPrimitives.ReadInt32BigEndian(source[4..]));

    /// <summary>Writes <see cref="EncodedBytes"/> bytes and returns how many.</summary>
    public int WriteTo(Span<byte> destination)
    {
        int addressBytes = WriteAddress(destination);
        BinaryPrimitives.WriteInt32BigEndian(destination[addressBytes..], Port);
        return addressBytes + 4;
    }

    /// <summary>Writes the address alone (4 or 16 bytes) and returns how many.</summary>
    public int WriteAddress(Span<byte> destination)
    {
        if (!IsV6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)(_high >> 32));
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        return 16;
    }

    public IPAddress ToAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = WriteAddress(bytes);
        return new IPAddress(bytes[..length]);
    }

    /// <summary>As an end point; a port that no socket can have (a corrupt or forged record) becomes 0.</summary>
    public IPEndPoint ToEndPoint() => new(ToAddress(), (uint)Port <= ushort.MaxValue ? Port : 0);

    public override string ToString() => IsV6 ? $"[{ToAddress()}]:{Port}" : $"{ToAddress()}:{Port}";

    public bool Equals(MessageHost other) =>
        _high == other._high && _low == other._low && Port == other.Port && IsV6 == other.IsV6;

    public override bool Equals(object? obj) => obj is MessageHost other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_high, _low, Port, IsV6);

    public static bool operator ==(MessageHost left, MessageHost right) => left.Equals(right);

    public static bool operator !=(MessageHost left, MessageHost right) => !left.Equals(right);
}

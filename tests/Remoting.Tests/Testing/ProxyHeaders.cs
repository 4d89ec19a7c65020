using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>Headers of the PROXY protocol as proxies write them, and as nobody should.</summary>
internal static class ProxyHeaders
{
    public const byte Local = 0x20;
    public const byte Proxy = 0x21;
    public const byte TcpOverIPv4 = 0x11;
    public const byte TcpOverIPv6 = 0x21;

    private static ReadOnlySpan<byte> Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    public static byte[] Line(string text) => Encoding.ASCII.GetBytes(text + "\r\n");

    /// <summary>Version 2 for a client, with fields (TLV) behind the addresses.</summary>
    public static byte[] For(string client, string server = "192.0.2.200:10911", byte[]? fields = null)
    {
        var from = IPEndPoint.Parse(client);
        var to = IPEndPoint.Parse(server);
        byte[] ports = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)from.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ports.AsSpan(2), (ushort)to.Port);
        byte[] source = from.Address.GetAddressBytes();
        return Bytes(
            Proxy, source.Length == 4 ? TcpOverIPv4 : TcpOverIPv6, [.. source, .. to.Address.GetAddressBytes(), .. ports, .. fields ?? []]);
    }

    /// <summary>Version 2 with any content.</summary>
    /// <param name="length">What it says is its length; null says the truth.</param>
    public static byte[] Bytes(byte versionAndCommand, byte family, byte[] rest, int? length = null)
    {
        byte[] count = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(count, (ushort)(length ?? rest.Length));
        return [.. Signature, versionAndCommand, family, .. count, .. rest];
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Tests;

/// <summary>Requests as no client of ours would write them.</summary>
internal static class RawRequest
{
    public static async Task<RemotingCommand> AskAsync(
        int port, RequestCode code, int version, byte[] body, Dictionary<string, string> fields)
    {
        using Socket socket = await ConnectAsync(port);
        return await AskAsync(socket, code, version, body, fields);
    }

    public static async Task<RemotingCommand> AskAsync(
        Socket socket, RequestCode code, int version, byte[] body, Dictionary<string, string> fields)
    {
        byte[] header = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"code":{{(int)code}},"extFields":{{JsonSerializer.Serialize(fields)}},"flag":0,"language":"JAVA","opaque":7,"version":{{version}}}"""));
        byte[] lengths = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(lengths, sizeof(int) + header.Length + body.Length);
        BinaryPrimitives.WriteInt32BigEndian(lengths.AsSpan(4), header.Length);
        return await GoldenConversation.AskAsync(socket, [.. lengths, .. header, .. body]);
    }

    public static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }
}

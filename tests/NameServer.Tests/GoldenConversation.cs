using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Tests;

/// <summary>What RocketMQ 5.3.3's broker, clients and mqadmin said to its name server, and what it answered.</summary>
internal static class GoldenConversation
{
    /// <summary>Requests in their order, each with its answer.</summary>
    public static IEnumerable<Exchange> Read(params string[] files)
    {
        foreach (string file in files)
        {
            var answers = new Dictionary<(int, int), byte[]>();
            var requests = new List<(int Connection, byte[] Frame)>();
            using var reader = new StreamReader(typeof(GoldenConversation).Assembly.GetManifestResourceStream(file)!);
            while (reader.ReadLine() is { } line)
            {
                using JsonDocument json = JsonDocument.Parse(line);
                int connection = json.RootElement.GetProperty("connection").GetInt32();
                byte[] frame = json.RootElement.GetProperty("frame").GetBytesFromBase64();
                if (json.RootElement.GetProperty("from").GetString() == "client")
                {
                    requests.Add((connection, frame));
                }
                else
                {
                    answers[(connection, Decode(frame).Opaque)] = frame;
                }
            }

            foreach ((int connection, byte[] frame) in requests)
            {
                yield return new Exchange(
                    string.Create(CultureInfo.InvariantCulture, $"{file} {connection}"),
                    frame,
                    answers[(connection, Decode(frame).Opaque)]);
            }
        }
    }

    public static RemotingCommand Decode(byte[] bytes)
    {
        var sequence = new ReadOnlySequence<byte>(bytes);
        Assert.True(Frame.TryRead(ref sequence, CommandLimits.Default, out Frame frame));
        var command = new RemotingCommand();
        command.Decode(in frame, CommandLimits.Default);
        command.OwnBody();
        return command;
    }

    /// <summary>Sends a frame as it is and reads the next one.</summary>
    public static async Task<RemotingCommand> AskAsync(Socket socket, byte[] request)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await socket.SendAsync(request, limit.Token);
        byte[] length = await ReadAsync(socket, sizeof(int), limit.Token);
        byte[] rest = await ReadAsync(socket, BinaryPrimitives.ReadInt32BigEndian(length), limit.Token);
        return Decode([.. length, .. rest]);
    }

    private static async Task<byte[]> ReadAsync(Socket socket, int count, CancellationToken cancel)
    {
        var bytes = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = await socket.ReceiveAsync(bytes.AsMemory(read), cancel);
            Assert.True(more > 0, $"the connection ended after {read} of {count} bytes");
            read += more;
        }

        return bytes;
    }

    internal sealed record Exchange(string Connection, byte[] Request, byte[] Answer);
}

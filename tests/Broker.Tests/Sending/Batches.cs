using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Sending;

internal static class Batches
{
    /// <summary>The body of a batch, of messages with their properties.</summary>
    public static byte[] Body(params (string Body, string Properties)[] messages)
    {
        var body = new ArrayBufferWriter<byte>();
        foreach ((string text, string properties) in messages)
        {
            BatchBodyWriter.Write(body, flag: 0, Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(properties));
        }

        return body.WrittenSpan.ToArray();
    }
}

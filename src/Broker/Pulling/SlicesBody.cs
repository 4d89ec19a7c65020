using System.Buffers;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Pulling;

/// <summary>Stored messages as the body of an answer: copied once, from the mapped log into the connection.</summary>
internal readonly struct SlicesBody(MessageSlices slices) : IBodyWriter
{
    public int Length => slices.TotalBytes;

    public void WriteTo(IBufferWriter<byte> output) => slices.CopyTo(output);
}

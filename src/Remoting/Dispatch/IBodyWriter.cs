using System.Buffers;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>A body that is written straight into the connection, for example from mapped memory.</summary>
public interface IBodyWriter
{
    /// <summary>Bytes that <see cref="WriteTo"/> writes, exactly.</summary>
    int Length { get; }

    void WriteTo(IBufferWriter<byte> output);
}

/// <summary>A body that lies in one piece of memory.</summary>
public readonly record struct MemoryBody(ReadOnlyMemory<byte> Bytes) : IBodyWriter
{
    public int Length => Bytes.Length;

    public void WriteTo(IBufferWriter<byte> output) => output.Write(Bytes.Span);
}

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>Makes a value of bytes that are RocksDB's and gone afterwards.</summary>
internal interface ISpanDeserializer<out T>
{
    T Deserialize(ReadOnlySpan<byte> buffer);
}

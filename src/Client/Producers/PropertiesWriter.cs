using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers;

/// <summary>Writes properties into pooled memory; names and values have been checked to hold no separators.</summary>
internal ref struct PropertiesWriter
{
    private const int InitialBytes = 256;
    private const int SeparatorBytes = 2;

    private byte[] _bytes;
    private int _length;

    public PropertiesWriter() => _bytes = ArrayPool<byte>.Shared.Rent(InitialBytes);

    public void Write(string name, string value)
    {
        int most = Encoding.UTF8.GetMaxByteCount(name.Length + value.Length) + SeparatorBytes;
        if (_bytes.Length - _length < most)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + most));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        _length += Encoding.UTF8.GetBytes(name, _bytes.AsSpan(_length));
        _bytes[_length++] = MessagePropertiesCodec.NameValueSeparator;
        _length += Encoding.UTF8.GetBytes(value, _bytes.AsSpan(_length));
        _bytes[_length++] = MessagePropertiesCodec.PropertySeparator;
    }

    /// <exception cref="ArgumentException">There are more bytes than a message can hold.</exception>
    public readonly byte[] ToArray() => _length <= MessagePropertiesCodec.MaxBytes
        ? _bytes.AsSpan(0, _length).ToArray()
        : throw new ArgumentException(
            $"the message's properties have {_length} bytes: at most {MessagePropertiesCodec.MaxBytes} can be stored");

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }
}

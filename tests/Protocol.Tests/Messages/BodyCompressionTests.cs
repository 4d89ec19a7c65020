using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class BodyCompressionTests
{
    // "GrayMQ reads what others compress. ", 40 times, by liblz4 and libzstd.
    private const string Lz4 =
        "BCJNGGBAgjMAAAD/FEdyYXlNUSByZWFkcyB3aGF0IG90aGVycyBjb21wcmVzcy4gIwD//////0JQZXNzLiAAAAAA";

    private const string Zstd = "KLUv/WB4BGUBADQCR3JheU1RIHJlYWRzIHdoYXQgb3RoZXJzIGNvbXByZXNzLiABAJPK/OoJ";

    private static readonly string Plain = string.Concat(Enumerable.Repeat("GrayMQ reads what others compress. ", 40));

    [Theory]
    [InlineData(MessageSysFlag.CompressionLz4, Lz4)]
    [InlineData(MessageSysFlag.CompressionZstd, Zstd)]
    public void Decompress_BodyOfEachType_IsThePlainBody(int type, string body) =>
        Assert.Equal(Plain, Encoding.UTF8.GetString(BodyCompression.Decompress(Convert.FromBase64String(body), type)));

    [Theory]
    [InlineData(MessageSysFlag.CompressionLz4, Lz4)]
    [InlineData(MessageSysFlag.CompressionZstd, Zstd)]
    public void Decompress_MoreThanAllowed_IsRefused(int type, string body) => Assert.Throws<InvalidDataException>(
        () => BodyCompression.Decompress(Convert.FromBase64String(body), type, maxBytes: Plain.Length - 1));

    [Theory]
    [InlineData(MessageSysFlag.CompressionLz4, Lz4)]
    [InlineData(MessageSysFlag.CompressionZstd, Zstd)]
    public void Decompress_BodyCutOffAnywhere_IsRefused(int type, string body)
    {
        byte[] whole = Convert.FromBase64String(body);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => BodyCompression.Decompress(whole.AsSpan(0, length), type));
        }
    }

    [Theory]
    [InlineData(MessageSysFlag.CompressionLz4)]
    [InlineData(MessageSysFlag.CompressionZstd)]
    [InlineData(MessageSysFlag.CompressionZlib)]
    [InlineData(0x4 << 8)]
    public void Decompress_Garbage_IsRefused(int type)
    {
        var random = new Random(1);
        byte[] garbage = new byte[64];
        for (int i = 0; i < 1000; i++)
        {
            random.NextBytes(garbage);
            Assert.Throws<InvalidDataException>(() => BodyCompression.Decompress(garbage, type));
        }
    }
}

namespace GrayMQ.Protocol.Tests.Bodies;

/// <summary>Bodies as RocketMQ 5.3.3 and its Java client wrote them, by file name.</summary>
internal static class GoldenBodies
{
    public static byte[] Read(string file)
    {
        using var stream = typeof(GoldenBodies).Assembly.GetManifestResourceStream(file)
            ?? throw new FileNotFoundException($"No golden body {file}");
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}

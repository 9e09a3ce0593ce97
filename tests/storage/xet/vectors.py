"""Published examples: lists of leaves with the xorb hash and three salted file hashes that belong to them."""

ZEROS = "0" * 64
# Each leaf is a hash; its length is a hundred times its place here.
LEAVES = (
    ZEROS,
    "cfc5d07f6f03c29bbf424132963fe08d19a37d5757aaf520bf08119f05cd56d6",
    "c3e67584b5c4fc2a89837ec39e40f2c8a6bb0b2987ac94cd4b31e5fbdd210a72",
    "0d2beb91b9196929a5ddec9f6e306924ddf4a24268e3e59fd8464738d525af37",
    "adf8773496a9b7319b2e50dc98093f344053b17d8ad37100b9c07d9805988784",
    "4ac202caf347fc1e9c874b1ef6a1c5e619141eb775a6f43f0f0124ccd0060d9e",
    "b3b28636f65c149ea52eb1f94669466f70f033b54cea792824c696ba6ef3c389",
    "0e2c1a002aae913d2c0fc8ddfa4e9e14b7b311b3b0d458726d5d9f6a6318013c",
)
# Places of leaves; xorb hash; salts with the file hash that each gives, the first salt being zeros.
TREES: list[tuple[list[int], str, list[tuple[str, str]]]] = [
    (
        [],
        ZEROS,
        [(ZEROS, ZEROS)],
    ),
    (
        [0],
        ZEROS,
        [
            (ZEROS, "638a6bc391964a85939d48f008e8bdbae6a7975e7ca2d87a3ce2492f4e4d8a4c"),
            (
                "f4aa7219b7bc6145df344b930c1cf63680037e13236f4b3b8f439aba1520d443",
                "3e44e4a200e05a69afc979eb2e0507817e4f0ddff128a97e563c0e05fed3bd25",
            ),
        ],
    ),
    (
        [1],
        LEAVES[1],
        [
            (ZEROS, "8e16257caa3fe079d484d872a8975264b2ff683b0d6db9028cc7c0f968a45661"),
            (
                "285371a6a3c8c4e561469c97766c46f0b9799bd8ea51a4ad27a082df8c28b7da",
                "6c18994ed5e6a223aeff68a6e386dbba7b3c25de076245dc77892b4ad49ac978",
            ),
            (
                "6e88acf8fc9f70ab609a46a58e93404f221bf6f1b95b4a12364032de9d3fbdf2",
                "c5af028b084ed1d7f9f131b60724547df167a149fdb39a7fcd6c92fbc777bbcb",
            ),
        ],
    ),
    (
        [1, 2, 3],
        "71ec1275fca074724e2dd666921b3277c7cee603e4d025bcab2d4050015be2bc",
        [
            (ZEROS, "54e55dccc6653c612bdb5576c5d3cb34bb31bc4e100248abccf4c908b3ef7715"),
            (
                "b286606709ef32a1cfede1e603a39f83fef56772d8234c0e35d8920071d80b69",
                "337f1f046e4cfc1057f0f3edbd87cf977fdfaf3c2b0c0031ca2d1d2a34aa2270",
            ),
            (
                "20f7357cdb2f6d3727375656e4eaf464fa195094ff501edc08aaccfb1419a07b",
                "82c5359ad947e91e4da6a00034f94a9159bd3bf24d005ef167648b9d3ba77f8c",
            ),
        ],
    ),
    (
        [1] * 4,
        "89f2ada89ff8c96763c6b25010e6dd76a4c05b1466207633ea559acf2093211b",
        [(ZEROS, "2cdba690d0e09563596e0cda626d43eb4c96ef1e994fe72d9b2f5a83cfcd36dd")],
    ),
    (
        [1, 2, 1, 2],
        "90f8313ef12df385d237a067aded02562c35ded12116e32eba401dbc86c38031",
        [(ZEROS, "284ea045e5a579e99c21ec597c20de1fc0c09e7168162aac00db8f61b3d82dbb")],
    ),
    (
        [1, 2, 1, 2, 3, 4],
        "52c826f99507aa05d0b45e9837fa1709e0485425cfbcb1e80db3905cf98b3ee9",
        [(ZEROS, "91d21684db364c8883ab8209fa5eb2e781cf07f37e1fa43e731c30839afe422f")],
    ),
    (
        [0, 1, 0, 1],
        "e1755c85be07fd6b7a8d7becc85e6d8c5f507f2a3d38b316bcb6f97855e72188",
        [(ZEROS, "207caf24fce045ac6d873b4c6186a5a435d600d103e1ae345e55ddf1f4b7f7ef")],
    ),
    (
        [0, 1, 0, 1, 0],
        "f36c6a6374a567efd36ed087aeb680b57e3af4e0b5b8e7be2593df4cb647a2de",
        [(ZEROS, "ab2f46d31855e1133b3b5b70e78f841394a648710a208923b221c1a8a0572a1f")],
    ),
    (
        [1, 0],
        "e8660f81494ca836a58e395c1395ef97870ed71e2b113eec1fab6b3361f46dd6",
        [(ZEROS, "274d92f7e2acebaa2b8d63c0b5e7a4fc15814a606e3e3825d55609e671bcc5d9")],
    ),
    (
        [3, 4, 5, 3],
        "73b9dc802ab03a0855c66823a18d95c2a785af594535756abf405038b6270cb8",
        [(ZEROS, "c7d5be75ef5ec12888027ad305141e4109e599494477661177475c84e12de48b")],
    ),
    (
        [3, 4, 5, 5, 5],
        "2c1fd1eca47e284512fcb40fcf45a1874939f9b91c774d46aeba5d004d9d263d",
        [(ZEROS, "0799ba7ee2c3fed173a8e8d832cd13970ddc16070ffbc8aa6dcd77476f66dc73")],
    ),
    (
        list(range(8)),
        "f62abe77e3fb9c954fe52b0028027ddc90c064c45951a4fd2211d87e5c0011db",
        [(ZEROS, "d1b068be5bbdb38992269e8efe61f601881e39f7a7585fd76883cc6ea5c23b44")],
    ),
    (
        list(range(8)) * 8,
        "6554007c9b5d0a5e7918f79596a1b68815c1407535585435f5735db761f21b88",
        [(ZEROS, "a8640ab81d48854e00078e12b1ea8be5d90be0ffb5f73a15b7009981d093ddd8")],
    ),
    (
        [1] * 32,
        "0a0123c1617921883b7e13902095fcb86676e77c49120c33b233003b0af0e0a6",
        [(ZEROS, "53af4711fd1d5e5bdc7f931b6be932314d8d673cb16ad2482f6f5222eaf9e63d")],
    ),
    (
        [*range(8), 1, 1, 1, 1],
        "e7fc30b73ec9930593f80fe777b334e9d3bb73e45e6a79fa5784b2603446158b",
        [(ZEROS, "69e1af2fd6023ce133e0d1b90e32d1d42ef79f5a710f2b0accfc3a735e98de9d")],
    ),
    (
        [leaf for leaf in range(8) for _ in "ab"],
        "636c65db520ec16e8166f9ec7a0cf9f74b26369077ac60160ec0221c86bc9f77",
        [
            (ZEROS, "6a90ad0d6f5246ac61f1de898c6944c03e14004a1368e6fb23387108c4d039e0"),
            (
                "9cf26338dd0a43d6b8ae238d197a558db083f42918b6abebe9c6008a982459fe",
                "7f14769cb2a682654aa7aa6b08845643b6973adb313b975fd319d34456bb9159",
            ),
        ],
    ),
]

# Chunk ends in 64 KiB of a repeating text that a chunk may end in, with so many zeros between its repetitions.
ENDS_BY_PADDING = {
    0: [8256, 16448, 24640, 32832, 41024, 49216, 57408, 65536],
    1: [8320, 16576, 24832, 33088, 41344, 49600, 57856, 65536],
    10: [8206, 16486, 24766, 33046, 41326, 49606, 57886, 65536],
    20: [8204, 16492, 24780, 33068, 41356, 49644, 57932, 65536],
    38: [8198, 16498, 24798, 33098, 41398, 49698, 57998, 65536],
    41: [8345, 16626, 24907, 33188, 41469, 49750, 58031, 65536],
}
PADDED = bytes.fromhex(
    "9a342a229f4b7ee046ec0cc44fecb27c7f3263b22cb0ae7efaebcdaefc7a230a1465d645c10873699ee4786f88a2c6fb"
    "d3b7fdfca4933f10baa27517aa24cdbbae4cd2aed3af0cad913b0246deb59fe3b69cbd33e26a1832b79d8c0a0817d446"
    "0aea1721dbfe27ec4631bf7409730f651a9fa5dc0faa387d5ca35eeb26283151"
)

"""The faces page: its networks make the package's images, its codes and crops are the package's, and its controls do what they say."""

import base64
import shutil

import chromium
import numpy as np
import pytest
import web_faces
from conftest import ROOT
from PIL import Image
from scipy.stats import kstest, truncnorm

import gdl
from gdl.data.photo import CROP, EYES
from gdl.errors import CourseError

NAMES = web_faces.NAMES
PIXELS = "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page with its weights, as a site has it."""
    folder = tmp_path_factory.mktemp("site") / "faces"
    shutil.copytree(ROOT / "site" / "faces", folder, ignore=shutil.ignore_patterns("weights"))
    web_faces.convert(folder / "weights")
    return folder


def test_each_file_is_small_and_a_vae_has_its_encoder_apart(folder):
    files = {path.name: path.stat().st_size for path in (folder / "weights").iterdir()}
    assert set(files) == {f"{name}.js" for name in (*NAMES, "vae-celeba64-encoder", "vae-drawn64-encoder")}
    assert all(size < 10e6 for size in files.values()), files


@pytest.mark.parametrize("name", ["vae_gan-drawn64", "classifier-drawn64", "latent_flow-drawn64"])
def test_a_model_with_other_layers_is_refused(tmp_path, name):
    with pytest.raises(CourseError, match=f"{name} has layers that site/faces does not know"):
        web_faces.convert(tmp_path, [name])


@pytest.fixture(scope="module")
def browser():
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def page(browser, folder):
    with chromium.opened(browser, folder / "index.html") as page:
        settled(page)
        yield page


def settled(page):
    """Waits until everything that has to be drawn is drawn."""
    page.wait_for_function("state.z && !waiting.size")


def picture(page, canvas="#face"):
    settled(page)
    pixels = np.array(page.locator(canvas).evaluate(PIXELS), np.uint8)
    return pixels.reshape(64, 64, 4)[..., :3]


def move(page, selector, value):
    """Moves a slider to a value, as its input event does."""
    page.locator(selector).evaluate("(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", value)
    settled(page)


def difference(one, other):
    """The largest difference of two images in grey levels."""
    return int(np.abs(one.astype(int) - other).max())


def decoded(model, z):
    return gdl.data.to_uint8(model.decode(np.asarray(z, np.float32).reshape(-1, model.architecture.z_dim)), model.architecture.pixel_range)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_images_are_those_of_the_package(page, name):
    model = gdl.pretrained(name)
    z = np.random.default_rng(1).standard_normal((6, model.architecture.z_dim)).astype(np.float32) * [[0], [0.5], [1], [1], [1], [3]]
    code = "async ([name, codes]) => { const network = await gdl.network(name); return codes.map(z => Array.from(network.image(z))); }"
    images = np.array(page.evaluate(code, [name, z.tolist()]), np.uint8).reshape(-1, 64, 64, 4)
    assert (images[..., 3] == 255).all()
    assert np.abs(images[..., :3].astype(int) - decoded(model, z)).max() <= 2
    assert page.evaluate("state.decoder.kind") == "WebAssembly"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vae-celeba64", "vae-drawn64"])
def test_codes_of_images_are_those_of_the_package(page, name):
    vae, faces = gdl.pretrained(name), gdl.DrawnFaces(n=40, size=64).train.images[:4]
    expected = vae.encode(faces)
    code = "async ([name, images]) => { const network = await gdl.network(name + '-encoder'); return images.map(x => Array.from(network.code(x))); }"
    z = np.array(page.evaluate(code, [name, np.insert(faces, 3, 255, axis=-1).reshape(4, -1).tolist()]))
    assert np.abs(z - expected).max() < 1e-3 < np.abs(expected).max()
    assert np.abs(decoded(vae, z).astype(int) - decoded(vae, expected)).max() <= 2


@pytest.mark.slow
def test_without_simd_the_plain_product_gives_the_same_image(page):
    z = np.random.default_rng(2).standard_normal(64).tolist()
    one, other = page.evaluate(
        """async z => {
            const written = (await gdl.network('gan-drawn64')).written, networks = [new gdl.Network(written)];
            gdl.WASM = btoa('no module');
            networks.push(new gdl.Network(written));
            return networks.map(network => ({kind: network.kind, image: Array.from(network.image(z))}));
        }""",
        z,
    )
    assert (one["kind"], other["kind"]) == ("WebAssembly", "JavaScript")
    assert np.abs(np.subtract(one["image"], other["image"])).max() <= 1


@pytest.mark.slow
def test_codes_are_from_the_distributions_that_the_page_names(page):
    u = np.array(page.evaluate("Array.from(gdl.uniforms(20000, 7))"))
    assert ((u > 0) & (u < 1)).all() and kstest(u, "uniform").pvalue > 0.01
    assert not np.isclose(u[:100], page.evaluate("Array.from(gdl.uniforms(100, 8))")).any()
    for limit in (0.3, 2, 4):
        z = page.evaluate("limit => Array.from(gdl.truncated(gdl.uniforms(20000, 7), limit))", limit)
        np.testing.assert_allclose(z, truncnorm.ppf(u, -limit, limit), atol=2e-5)
    np.testing.assert_allclose(page.evaluate("Array.from(gdl.inCube(gdl.uniforms(20000, 7), 1.5))"), 1.5 * (2 * u - 1), atol=1e-6)


@pytest.mark.slow
def test_the_path_between_two_codes_is_the_arc_of_the_package(page):
    z_1, z_2 = np.random.default_rng(3).standard_normal((2, 64))
    for first, second in ((z_1, z_2), (z_1, 2 * z_1), (z_1, z_1)):
        for t in (0, 0.3, 1):
            z = page.evaluate("([a, b, t]) => Array.from(gdl.slerp(a, b, t))", [first.tolist(), second.tolist(), t])
            np.testing.assert_allclose(z, gdl.latent.slerp(first, second, t)[0], atol=1e-5)


# What the reader does


@pytest.mark.slow
def test_a_slider_adds_its_vector(page):
    gan, vectors = gdl.pretrained("gan-celeba64"), gdl.pretrained_vectors("gan-celeba64")
    z = np.array(page.evaluate("Array.from(state.z)"))
    before = picture(page)
    assert np.abs(before.astype(int) - decoded(gan, z)[0]).max() <= 2
    move(page, "input[name=Smiling]", 2)
    move(page, "input[name=Eyeglasses]", -1.5)
    after = picture(page)
    assert difference(before, after) > 20
    assert difference(after, decoded(gan, z + 2 * vectors.loc["Smiling"] - 1.5 * vectors.loc["Eyeglasses"])[0]) <= 2
    label = page.locator("#face").get_attribute("aria-label")
    assert "Smiling +2.0" in label and "Eyeglasses −1.5" in label
    page.get_by_label("Balanced vectors").check()
    balanced = gdl.pretrained_vectors("gan-celeba64", balanced=True)
    assert difference(picture(page), decoded(gan, z + 2 * balanced.loc["Smiling"] - 1.5 * balanced.loc["Eyeglasses"])[0]) <= 2
    page.get_by_role("button", name="Sliders to 0").click()
    assert difference(picture(page), before) == 0


@pytest.mark.slow
def test_every_attribute_has_a_slider_that_keys_move(page):
    names = set(gdl.pretrained_vectors("gan-celeba64").index)
    assert {slider.get_attribute("name") for slider in page.locator(".sliders input").all()} == names
    before = picture(page)
    slider = page.get_by_role("slider", name="Smiling")
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "1.2" and page.evaluate("state.alphas.Smiling") == pytest.approx(1.2)
    assert difference(before, picture(page)) > 10


@pytest.mark.slow
def test_a_number_is_a_face_and_comes_back(page):
    first = picture(page)
    number = int(page.locator("#number").input_value())
    page.get_by_role("button", name="Another face").click()
    assert page.locator("#number").input_value() == str(number + 1)
    assert difference(first, picture(page)) > 50
    page.locator("#number").fill(str(number))
    page.locator("#number").press("Enter")
    assert difference(first, picture(page)) == 0
    page.get_by_role("button", name="Face 7", exact=True).click()
    settled(page)
    assert page.locator("#number").input_value() == "7" and "Face 7 of gan-celeba64" in page.locator("#status").inner_text()
    assert page.get_by_role("button", name="Face 7", exact=True).get_attribute("aria-pressed") == "true"


def grid(page):
    return np.stack([picture(page, f"#grid button:nth-child({i + 1}) canvas") for i in range(12)]).astype(float)


@pytest.mark.slow
def test_truncation_makes_faces_alike_and_the_cube_grows_with_r(page):
    varied = grid(page).std(axis=0).mean()
    move(page, "#limit", 0.1)
    alike = grid(page).std(axis=0).mean()
    assert alike < varied / 5
    page.get_by_role("button", name="Twelve others").click()
    settled(page)
    assert page.get_by_role("button", name="Face 13", exact=True).count() == 1
    page.get_by_label("Cube from").check()
    assert not page.locator("#limit").is_visible()
    lengths = []
    for r in (0.5, 1.7, 3):
        move(page, "#r", r)
        z = np.array(page.evaluate("Array.from(state.z)"))
        assert np.abs(z).max() <= r and np.abs(z).max() > 0.9 * r
        lengths.append(np.linalg.norm(z))
        assert f"length {lengths[-1]:.1f}" in page.locator("#length").inner_text()
    assert lengths[1] == pytest.approx(np.sqrt(128), rel=0.15)
    assert lengths[2] == pytest.approx(6 * lengths[0], rel=1e-3)


@pytest.mark.slow
def test_the_path_goes_from_one_face_to_the_other(page):
    page.locator("#number").fill("9")
    page.locator("#number").press("Enter")
    move(page, "input[name=Smiling]", 2)
    chosen = picture(page)
    page.get_by_role("button", name="Use the face above").first.click()
    assert difference(picture(page, "#first"), chosen) == 0
    frames = []
    for t in (0, 0.5, 1):
        move(page, "#t", t)
        frames.append(picture(page, "#between"))
    assert difference(frames[0], chosen) == 0 == difference(frames[2], picture(page, "#second"))
    assert min(difference(frames[1], frames[0]), difference(frames[1], frames[2])) > 20
    mixed = (frames[0].astype(float) + frames[2]) / 2
    assert np.abs(frames[1] - mixed).mean() > 5, "a face of its own, not two pictures on top of each other"
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("Math.abs(document.getElementById('t').value - 0.5) < 0.2")
    page.get_by_role("button", name="Stop").click()


@pytest.mark.slow
def test_another_model_takes_over_what_the_sliders_say(page):
    move(page, "input[name=Smiling]", 1.5)
    page.get_by_label("VAE, drawn faces").check()
    page.wait_for_function("state.model === 'vae-drawn64'")
    vae, vectors = gdl.pretrained("vae-drawn64"), gdl.pretrained_vectors("vae-drawn64")
    z = np.array(page.evaluate("Array.from(state.z)"))
    assert difference(picture(page), decoded(vae, z + 1.5 * vectors.loc["Smiling"])[0]) <= 2
    assert page.url.endswith("#vae-drawn64") and page.get_by_role("slider", name="Smiling").input_value() == "1.5"


@pytest.mark.slow
def test_an_address_chooses_the_model(browser, folder):
    with chromium.opened(browser, folder / "index.html") as page:
        page.goto("about:blank")
        page.goto((folder / "index.html").as_uri() + "#gan-drawn64")
        settled(page)
        assert page.evaluate("state.model") == "gan-drawn64" and page.get_by_label("GAN, drawn faces").is_checked()


@pytest.mark.slow
def test_the_model_that_was_chosen_last_is_shown(page):
    page.evaluate(
        """async () => {
            const network = gdl.network, late = name => new Promise(done => setTimeout(() => done(network(name)), 300));
            gdl.network = name => name === 'vae-drawn64' ? late(name) : network(name);
            await Promise.all([choose('vae-drawn64'), choose('gan-drawn64')]);
        }"""
    )
    settled(page)
    assert page.evaluate("state.model") == "gan-drawn64" and page.get_by_label("GAN, drawn faces").is_checked()


# A photograph


def photograph(path, width, height, seed=0, **options):
    """A smooth coloured picture, as a file."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 8, 3), np.uint8)
    Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).save(path, **options)
    return path


def open_photo(page, path):
    """Chooses the photograph in the page of the VAE of drawn faces."""
    page.evaluate("choose('vae-drawn64')")
    page.wait_for_function("state.model === 'vae-drawn64'")
    settled(page)
    page.locator("#photo").set_input_files(path)
    page.wait_for_function("state.source.startsWith('Your photograph')")


@pytest.mark.slow
@pytest.mark.parametrize("width, height", [(178, 218), (640, 480), (301, 903), (97, 64), (40, 50)])
def test_a_photograph_is_cropped_as_by_the_package(page, tmp_path, width, height):
    path = photograph(tmp_path / "me.png", width, height)
    open_photo(page, path)
    assert difference(picture(page, "#cropped"), gdl.load_photo(path)) <= 1


@pytest.mark.slow
def test_a_photograph_is_turned_upright_and_becomes_the_face(page, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    path = photograph(tmp_path / "me.jpg", 400, 300, quality=95, exif=exif)
    before = picture(page)
    open_photo(page, path)
    vae, photo = gdl.pretrained("vae-drawn64"), gdl.load_photo(path)
    assert difference(picture(page, "#cropped"), photo) <= 3, "two decoders of JPEG may differ a little"
    face = decoded(vae, vae.encode(photo[None]))[0]
    assert np.abs(picture(page).astype(int) - face).max() <= 6 and difference(before, picture(page)) > 50
    assert difference(picture(page), picture(page, "#rebuilt")) == 0
    move(page, "input[name=Smiling]", 2)
    assert difference(picture(page), picture(page, "#rebuilt")) > 10


@pytest.mark.slow
def test_the_eyes_align_a_photograph_as_in_the_package(page, tmp_path):
    path = photograph(tmp_path / "me.png", 500, 400, seed=4)
    eyes = ((210, 170), (290, 190))
    code = """async ([data, eyes]) => {
        const photo = await createImageBitmap(await (await fetch('data:image/png;base64,' + data)).blob());
        return [Array.from(gdl.cropPhoto(photo, 64, eyes)), gdl.usualEyes(photo.width, photo.height)];
    }"""
    pixels, usual = page.evaluate(code, [base64.b64encode(path.read_bytes()).decode(), eyes])
    image = np.array(pixels, np.uint8).reshape(64, 64, 4)[..., :3]
    assert np.abs(image - gdl.load_photo(path, eyes=eyes).astype(float)).mean() < 1
    assert np.abs(image - gdl.load_photo(path).astype(float)).mean() > 5, "elsewhere than without eyes"
    side = round(CROP * min(500 / 178, 400 / 218))
    corner = np.array([(500 - side) // 2, (400 - side) // 2])
    np.testing.assert_allclose(usual, corner + (np.array(EYES) - [19, 39]) * side / CROP)


@pytest.mark.slow
def test_keys_move_an_eye(page, tmp_path):
    open_photo(page, photograph(tmp_path / "me.png", 400, 400, seed=5))
    before = picture(page, "#cropped")
    page.locator("#eye-1").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    assert difference(before, picture(page, "#cropped")) > 10


@pytest.mark.slow
def test_a_file_that_is_no_image_is_named(page, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    page.evaluate("choose('vae-drawn64')")
    page.wait_for_function("state.model === 'vae-drawn64'")
    page.locator("#photo").set_input_files(tmp_path / "notes.txt")
    page.locator("#problem").wait_for(state="visible")
    assert "notes.txt is not an image" in page.locator("#problem").inner_text()


@pytest.mark.slow
def test_a_photograph_without_its_encoder_leaves_the_face_as_it_is(page, tmp_path):
    path = photograph(tmp_path / "me.png", 100, 100)
    page.evaluate(
        """() => {
            const network = gdl.network;
            gdl.network = name => !name.endsWith('encoder') ? network(name) : new Promise((done, failed) => {
                Object.assign(window, {load: () => done(network(name)), fail: () => failed(new Error('No encoder.'))});
            });
        }"""
    )
    for model, then in (("vae-drawn64", "fail()"), ("vae-drawn64", "choose('vae-celeba64').then(load)")):
        page.evaluate(f"choose('{model}')")
        page.wait_for_function(f"state.model === '{model}'")
        page.evaluate("window.load = null")
        page.locator("#photo").set_input_files(path)
        page.wait_for_function("!!window.load")
        page.evaluate(then)
        page.wait_for_timeout(300)
        settled(page)
        assert page.evaluate("state.source").startswith("Face")
        assert page.locator("#problem").is_visible() == (then == "fail()")


# The page itself


@pytest.mark.slow
def test_a_frame_takes_less_than_a_tenth_of_a_second(page):
    times = page.evaluate(
        """() => Array.from({length: 60}, (_, i) => {
            const begin = performance.now();
            state.alphas.Smiling = i / 20 - 1.5;
            draw.face();
            return performance.now() - begin;
        })"""
    )
    assert np.median(times) < 100, f"{np.median(times):.0f} ms a frame; the fastest {min(times):.0f} ms"


@pytest.mark.slow
def test_missing_weights_are_told_in_words(browser, folder, tmp_path):
    copy = tmp_path / "faces"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("weights"))
    page = browser.new_page()
    try:
        page.goto((copy / "index.html").as_uri())
        page.locator("#problem").wait_for(state="visible")
        assert "weights/gan-celeba64.js could not be loaded" in page.locator("#problem").inner_text()
    finally:
        page.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_the_page_fits_and_follows_the_colour_scheme(browser, folder, width):
    options = dict(viewport={"width": width, "height": 844}, has_touch=width < 800, color_scheme="dark" if width == 820 else "light")
    with chromium.opened(browser, folder / "index.html", **options) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (red < 60) == (width == 820)
        if width == 390:
            page.get_by_role("slider", name="Smiling").tap()
            page.locator("#sliders label").last.scroll_into_view_if_needed()
            assert page.locator("#face").bounding_box()["y"] >= 0, "the face stays in view beside its sliders"


@pytest.mark.slow
def test_everything_has_a_name_for_those_who_do_not_see_it(page):
    for canvas in page.locator("canvas[role=img]").all():
        assert canvas.get_attribute("aria-label")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input')].filter(control => {
            const labels = [...control.labels ?? []].map(label => label.textContent.trim());
            return !(control.textContent.trim() || control.ariaLabel || labels.some(text => text));
        }).map(control => control.outerHTML)"""
    )
    assert not nameless
